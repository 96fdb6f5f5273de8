"""What browsers make of a message (MDN, showNotification(); WebKit, Declarative Web Push)."""

from __future__ import annotations

from tidings.domain.showing import Showing, Shown

SHOWS = {
    "title": Showing(Shown.YES),
    "body": Showing(Shown.YES),
    "url": Showing(Shown.YES),
    "icon": Showing(Shown.PARTLY, "Safari shows the site's own icon instead."),
    "image": Showing(Shown.PARTLY, "Chrome and Edge show it on Windows and Android; Firefox and Safari do not."),
    "badge_count": Showing(Shown.PARTLY, "Only sites that were installed as an app have an icon that it can be on."),
    "actions": Showing(Shown.PARTLY, "Chrome, Edge and Firefox show two buttons; Safari shows none."),
    "collapse_id": Showing(Shown.YES),
    "data": Showing(Shown.APP, "The page gets it with the click."),
}
