"""What Android and an app on it make of a message (Firebase, AndroidNotification)."""

from __future__ import annotations

from tidings.domain.showing import Showing, Shown

SHOWS = {
    "title": Showing(Shown.YES),
    "body": Showing(Shown.YES),
    "url": Showing(Shown.APP, "The app gets it as `tidings_url` and opens it."),
    "icon": Showing(Shown.NO, "Android shows the app's icon, or the drawable that `platforms.android.icon` names."),
    "image": Showing(Shown.YES),
    "badge_count": Showing(Shown.PARTLY, "Some launchers show a number, others a dot."),
    "actions": Showing(Shown.APP, "The app gets them as `tidings_actions` and makes the buttons."),
    "collapse_id": Showing(Shown.YES),
    "data": Showing(Shown.APP, "The app gets it."),
}
