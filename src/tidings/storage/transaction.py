"""One transaction's view of everything stored: a repository for each noun over one connection."""

from __future__ import annotations

from sqlalchemy import Connection

from tidings.lib.sealed import Sealer
from tidings.storage import (
    Access,
    Apps,
    Credentials,
    Deliveries,
    Erasures,
    Idempotency,
    Instance,
    Notifications,
    Receipts,
    Retention,
    Shards,
    Stats,
    Subscriptions,
    Tracked,
    Users,
    Volumes,
)
from tidings.storage.access import SqlAccess
from tidings.storage.apps import SqlApps
from tidings.storage.audit import SqlAudit
from tidings.storage.credentials import SqlCredentials
from tidings.storage.deliveries import SqlDeliveries
from tidings.storage.dialects import Dialect
from tidings.storage.erasures import SqlErasures
from tidings.storage.event_types import SqlEventTypes
from tidings.storage.events import SqlEvents
from tidings.storage.factors import SqlFactors
from tidings.storage.feed import SqlFeed
from tidings.storage.feed_fills import SqlFeedFills
from tidings.storage.firings import SqlFirings
from tidings.storage.follows import SqlFollows
from tidings.storage.idempotency import SqlIdempotency
from tidings.storage.images import SqlImages
from tidings.storage.instance import SqlInstance
from tidings.storage.kinds import SqlKinds
from tidings.storage.lanes import SqlLanes
from tidings.storage.members import SqlMembers
from tidings.storage.notifications import SqlNotifications
from tidings.storage.oidc import SqlOidc
from tidings.storage.outbox import SqlOutbox
from tidings.storage.outlooks import SqlOutlooks
from tidings.storage.ports.accounts import Audit, Factors, Members, Oidc, Sessions, Throttle
from tidings.storage.ports.events import Events, EventTypes
from tidings.storage.ports.images import Images
from tidings.storage.ports.outlooks import Outlooks
from tidings.storage.ports.preferences import Feed, FeedFills, Kinds, Preferences
from tidings.storage.ports.relays import Relays
from tidings.storage.ports.segments import Follows, Segments
from tidings.storage.ports.templates import Templates
from tidings.storage.ports.triggers import Firings, Lanes, Triggers
from tidings.storage.ports.webhooks import Outbox, WebhookMessages, Webhooks
from tidings.storage.preferences import SqlPreferences
from tidings.storage.receipts import SqlReceipts
from tidings.storage.relays import SqlRelays
from tidings.storage.retention import SqlRetention
from tidings.storage.scope import Scope
from tidings.storage.segments import SqlSegments
from tidings.storage.sessions import SqlSessions
from tidings.storage.shards import SqlShards
from tidings.storage.stats import SqlStats
from tidings.storage.subscriptions import SqlSubscriptions
from tidings.storage.templates import SqlTemplates
from tidings.storage.throttle import SqlThrottle
from tidings.storage.tracked import SqlTracked
from tidings.storage.triggers import SqlTriggers
from tidings.storage.users import SqlUsers
from tidings.storage.volumes import SqlVolumes
from tidings.storage.webhook_messages import SqlWebhookMessages
from tidings.storage.webhooks import SqlWebhooks


class SqlTransaction:
    """Implements `storage.Transaction`; whoever made the connection begins and ends the transaction."""

    def __init__(self, connection: Connection, dialect: Dialect, sealer: Sealer) -> None:
        scope = Scope(connection, dialect, sealer)
        self.apps: Apps = SqlApps(scope)
        self.credentials: Credentials = SqlCredentials(scope)
        self.users: Users = SqlUsers(scope)
        self.subscriptions: Subscriptions = SqlSubscriptions(scope)
        self.relays: Relays = SqlRelays(scope)
        self.tracked: Tracked = SqlTracked(scope)
        self.event_types: EventTypes = SqlEventTypes(scope)
        self.events: Events = SqlEvents(scope)
        self.triggers: Triggers = SqlTriggers(scope)
        self.firings: Firings = SqlFirings(scope)
        self.lanes: Lanes = SqlLanes(scope)
        self.notifications: Notifications = SqlNotifications(scope)
        self.shards: Shards = SqlShards(scope)
        self.deliveries: Deliveries = SqlDeliveries(scope)
        self.receipts: Receipts = SqlReceipts(scope)
        self.access: Access = SqlAccess(scope)
        self.idempotency: Idempotency = SqlIdempotency(scope)
        self.instance: Instance = SqlInstance(scope)
        self.segments: Segments = SqlSegments(scope)
        self.follows: Follows = SqlFollows(scope)
        self.volumes: Volumes = SqlVolumes(scope)
        self.stats: Stats = SqlStats(scope)
        self.retention: Retention = SqlRetention(scope)
        self.erasures: Erasures = SqlErasures(scope)
        self.members: Members = SqlMembers(scope)
        self.sessions: Sessions = SqlSessions(scope)
        self.factors: Factors = SqlFactors(scope)
        self.oidc: Oidc = SqlOidc(scope)
        self.throttle: Throttle = SqlThrottle(scope)
        self.audit: Audit = SqlAudit(scope)
        self.templates: Templates = SqlTemplates(scope)
        self.images: Images = SqlImages(scope)
        self.kinds: Kinds = SqlKinds(scope)
        self.preferences: Preferences = SqlPreferences(scope)
        self.outlooks: Outlooks = SqlOutlooks(scope)
        self.feed: Feed = SqlFeed(scope)
        self.feed_fills: FeedFills = SqlFeedFills(scope)
        self.outbox: Outbox = SqlOutbox(scope)
        self.webhooks: Webhooks = SqlWebhooks(scope)
        self.webhook_messages: WebhookMessages = SqlWebhookMessages(scope)
