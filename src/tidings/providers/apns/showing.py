"""What Apple's systems and an app on them make of a message (Apple, "Generating a remote notification")."""

from __future__ import annotations

from tidings.domain.showing import Showing, Shown

SHOWS = {
    "title": Showing(Shown.YES),
    "body": Showing(Shown.YES),
    "url": Showing(Shown.APP, "The app gets it as `tidings.u` and opens it."),
    "icon": Showing(Shown.NO, "Apple's systems show the app's icon."),
    "image": Showing(Shown.APP, "A notification service extension of the app loads it from `tidings.i`."),
    "badge_count": Showing(Shown.YES),
    "actions": Showing(Shown.APP, "The app has to know the buttons: `platforms.apns.category` names its set of them."),
    "collapse_id": Showing(Shown.YES),
    "data": Showing(Shown.APP, "The app gets it."),
}
