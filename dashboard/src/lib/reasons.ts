/** Why a delivery did not arrive, in words, and what to do about it; the keys are those the workers count. */

export interface Explained {
  what: string
  todo: string
}

const NOTHING = 'Nothing to do.'
const RESUBSCRIBES = 'Nothing to do: the SDK subscribes the device again on its next visit.'
const TOO_LONG = 'Shorten the message or its addresses to 2\u202f700 bytes, which every browser takes.'
const RETRIED = 'It was tried several times. If this lasts, see the status page of the push service.'
const LOG = 'The log of the worker has the answer in full.'

const NEW_KEY = 'Open the integration in Settings, Integrations, and replace its credentials.'
const CONNECTION = 'Open the integration in Settings, Integrations, and press Test Connection.'
const REGISTERS = 'Nothing to do: the app registers the device again when it is opened.'
const CLOCK = 'Set the clock of this server, best by NTP; `tidings doctor` shows how far it is out.'
const REPORT = `${LOG} Please report it.`

/** Of phones: what FCM and APNs say. */
const PHONES: Readonly<Record<string, Explained>> = {
  unregistered: { what: 'The app was removed from the device, or its token has ended', todo: REGISTERS },
  device_token_refused: { what: 'Apple does not know the device’s token in this environment', todo: 'Sandbox and production are separate: compare the integration’s environment with how the app was built and signed.' },
  address_foreign: { what: 'The device belongs to another app or project', todo: 'It registered with another Firebase project or bundle id; see that the app and the integration name the same one.' },
  address_invalid: { what: 'The device’s token was never given out', todo: 'See that the app sends its token whole and unchanged.' },
  token_of_another_kind: { what: 'The device’s token is for another kind of push', todo: 'A token of a Live Activity, a call or a widget takes only messages of its kind.' },
  wrong_environment: { what: 'The credentials are for the other environment of Apple', todo: 'Choose Sandbox or Production as the app was built and signed, or use a key that is for both.' },
  bundle_id_refused: { what: 'Apple does not let these credentials send to this bundle id', todo: 'Compare the bundle id with the one in Xcode under Signing & Capabilities; the team has to be the same.' },
  certificate_refused: { what: 'Apple refused the certificate', todo: 'It was revoked or is not one for push. Replace it, or use a .p8 key, which never expires.' },
  credential_forbidden: { what: 'Apple forbids this to the team', todo: 'See on Apple’s developer site that the membership has not ended and that agreements are accepted.' },
  credential_missing: { what: 'Apple saw neither a key nor a certificate', todo: NEW_KEY },
  provider_token_expired: { what: 'Apple found our token too old', todo: CLOCK },
  provider_token_refused: { what: 'Apple does not recognise the key', todo: 'The Key ID or the Team ID is another key’s, or the key was revoked. ' + NEW_KEY },
  provider_token_updates: { what: 'Apple has seen too many new tokens of this key', todo: 'Does another server send with the same key? Nothing is lost: sending goes on by itself after 20 minutes.' },
  keys_mixed_on_connection: { what: 'Apple saw two keys on one connection', todo: REPORT },
  wants_provider_token: { what: 'A certificate may not send this kind of push', todo: 'Live Activities and locations need a .p8 key; replace the certificate with one.' },
  broadcast_not_enabled: { what: 'Broadcasts are switched off for this app', todo: 'Switch on Broadcast for the bundle id on Apple’s developer site, under Identifiers.' },
  bad_push_type: { what: 'Apple refused the type of push', todo: REPORT },
  request_refused: { what: 'Apple refused the message', todo: LOG },
  service_shutting_down: { what: 'Apple’s server was shutting down', todo: RETRIED },
  service_account_disabled: { what: 'The service account is disabled', todo: 'Enable it: Google Cloud Console, IAM & Admin, Service accounts.' },
  service_account_missing: { what: 'Google does not know the service account', todo: 'It was deleted. ' + NEW_KEY },
  service_account_key_revoked: { what: 'Google does not know the service account’s key', todo: 'It was deleted or disabled. ' + NEW_KEY },
  access_token_denied: { what: 'Google gives no token for the key', todo: NEW_KEY },
  access_token_refused: { what: 'FCM refused the token that Google had given', todo: CONNECTION },
  access_token_unavailable: { what: 'Google gave no token in time', todo: RETRIED },
  clock_skew: { what: 'Google refused our signature for its time', todo: CLOCK },
  fcm_api_disabled: { what: 'The Firebase Cloud Messaging API is switched off in the project', todo: 'Switch it on: Google Cloud Console, APIs & Services, Firebase Cloud Messaging API. It takes a few minutes.' },
  permission_missing: { what: 'The service account may not send messages for the project', todo: 'Give it the role `Firebase Cloud Messaging API Admin`: Google Cloud Console, IAM.' },
  project_unknown: { what: 'There is no such Firebase project', todo: 'Check the Project ID: Firebase Console, Project settings, General.' },
  apns_or_web_push_key_missing: { what: 'The Firebase project has no key for iPhones or browsers', todo: 'Upload an APNs key in the Firebase Console, Project settings, Cloud Messaging. Android devices go on.' },
  package_name_mismatch: { what: 'The message names another Android package than the device’s app', todo: 'Correct `restricted_package_name` in the message’s options for Android.' },
  message_invalid: { what: 'FCM refused the message', todo: LOG },
}

/** Of a server of your own, to which messages go as signed JSON. */
const WEBHOOK: Readonly<Record<string, Explained>> = {
  receiver_gone: { what: 'Your server says that the receiver is gone', todo: 'Nothing to do: such a subscription is expired at once and left out from then on.' },
  receiver_refused: { what: 'Your server refused the message', todo: LOG },
  receiver_unreached: { what: 'Your server was not reached', todo: 'See that it runs and that this machine reaches it. It was tried several times.' },
  signature_refused: { what: 'Your server refused the signature', todo: 'The secret there and here differ. ' + NEW_KEY },
}

/** Why a device gets nothing any more, beside what push services say. */
const ENDINGS: Readonly<Record<string, Explained>> = {
  turned_off: { what: 'Turned off in the app', todo: NOTHING },
  permission_revoked: { what: 'Its user took the permission for notifications back', todo: 'Only its user can allow it again, in the settings of the device or browser.' },
  superseded: { what: 'Registered again under another address', todo: NOTHING },
  integration_removed: { what: 'Its integration was removed', todo: REGISTERS },
  erased: { what: 'Erased at its user’s request', todo: NOTHING },
  unsafe_link: { what: 'The message holds a link that is not safe to open', todo: 'Links are https:// addresses without credentials or hidden characters.' },
  unsafe_image: { what: 'The message holds a picture that is not safe to load', todo: 'Pictures are https:// addresses.' },
  unsafe_text: { what: 'The message holds characters that nobody sees', todo: 'Take control characters and marks of writing direction out.' },
}

const TABLE: Readonly<Record<string, Explained>> = {
  ...PHONES, ...WEBHOOK, ...ENDINGS,
  gone: { what: 'The browser or device no longer has this subscription', todo: 'Nothing to do: such a subscription is expired at once and left out from then on.' },
  key_mismatch: { what: 'Made with another VAPID key', todo: RESUBSCRIBES },
  payload_too_large: { what: 'The message is too long for this push service', todo: TOO_LONG },
  too_large_for_mozilla: { what: 'The message is too long for the push service of Firefox', todo: TOO_LONG },
  template_failed: { what: 'The template could not be filled for this person', todo: 'Open the template’s preview with this person: it names the field. Give missing values a `default`.' },
  ttl_ended: { what: 'Not delivered before its time to live ended', todo: 'Send with a longer time to live if it is still worth reading later.' },
  unsubscribed: { what: 'Unsubscribed after the notification was accepted', todo: NOTHING },
  by_device: { what: 'Turned off on the device', todo: NOTHING },
  preference_off: { what: 'Turned off by the person', todo: NOTHING },
  quiet_hours: { what: 'Quiet hours lasted longer than its time to live', todo: 'Send with a longer time to live, or as urgent if it must wake people.' },
  no_credential: { what: 'No key fits this subscription', todo: 'It was made with a revoked or unknown key. ' + RESUBSCRIBES },
  web_push_off: { what: 'Web push of the App was turned off', todo: 'Turn it on under Settings → Push Notifications. Keys and subscribers are all there.' },
  in_doubt: { what: 'May have left just before a worker stopped', todo: 'Not sent again: it must not arrive twice, was cancelled, or this part of it was given up.' },
  cancelled: { what: 'Cancelled before a push service had taken it', todo: 'Nothing to do. After a try without an answer it may have arrived all the same.' },
  throttled: { what: 'The push service asked to send more slowly, until no try was left', todo: 'Send to this audience less often, or with a longer time to live.' },
  service_overloaded: { what: 'The push service was overloaded', todo: RETRIED },
  service_error: { what: 'The push service failed', todo: RETRIED },
  bridge_unavailable: { what: 'The push service could not reach the device’s own service', todo: RETRIED },
  timed_out: { what: 'The push service did not answer in time', todo: 'Check the way from this server to the internet with `tidings doctor`.' },
  idle_timeout: { what: 'The push service closed an idle connection', todo: RETRIED },
  dns_failed: { what: 'The name of the push service could not be looked up', todo: 'Check the DNS of this server with `tidings doctor`.' },
  connect_failed: { what: 'No connection to the push service', todo: 'Check that a firewall lets this server out to port 443, with `tidings doctor`.' },
  tls_failed: { what: 'The push service’s certificate could not be checked', todo: 'Check the clock and the certificates of this server with `tidings doctor`.' },
  connection_reset: { what: 'The connection broke', todo: RETRIED },
  network_failed: { what: 'The network failed', todo: 'Check the way from this server to the internet with `tidings doctor`.' },
  protocol_error: { what: 'The push service’s answer could not be read', todo: LOG },
  authorization_refused: { what: 'The push service refused our authorization', todo: 'Check the contact address and the keys in Settings, Push Notifications.' },
  jwt_refused: { what: 'The push service refused our signature', todo: 'Check the clock of this server and the contact address.' },
  jwt_audience_refused: { what: 'The push service refused whom the signature is for', todo: LOG },
  jwt_expiry_refused: { what: 'The push service refused how long the signature holds', todo: 'Check the clock of this server.' },
  public_key_refused: { what: 'The push service refused the public key', todo: 'Rotate the keys in Settings, Push Notifications.' },
  subscription_keys_unusable: { what: 'The subscription’s own keys cannot be used', todo: RESUBSCRIBES },
  endpoint_suspect: { what: 'The push service doubts the address', todo: RETRIED },
  endpoint_unknown: { what: 'The push service does not know the address', todo: NOTHING },
  unsubscribed_or_expired: { what: 'The browser ended the subscription', todo: NOTHING },
  forbidden_address: { what: 'The address leads into a private network', todo: 'If you run a push service of your own, add its host to TIDINGS_EXTRA_PUSH_HOSTS.' },
  dropped_by_service: { what: 'The push service took it and dropped it', todo: 'The device has notifications turned off in its system.' },
  bad_request: { what: 'The push service refused the message', todo: LOG },
  bad_crypto: { what: 'The push service could not read the encryption', todo: LOG },
  bad_topic: { what: 'The push service refused the collapse id', todo: LOG },
  bad_ttl: { what: 'The push service refused the time to live', todo: 'Choose another time to live.' },
  bad_urgency: { what: 'The push service refused the urgency', todo: 'Choose another urgency.' },
  unmapped_answer: { what: 'The push service gave an answer we do not know', todo: REPORT },
  redirected: { what: 'The push service answered with another address', todo: 'Redirects are never followed. ' + LOG },
  key_revoked: { what: 'Its VAPID key was revoked', todo: RESUBSCRIBES },
  vapid_key_mismatch: { what: 'Made with another VAPID key', todo: RESUBSCRIBES },
}

/** What a counted reason means; one that is not in the table is shown as it is. */
export function explained(reason: string): Explained {
  if (Object.hasOwn(TABLE, reason)) return TABLE[reason]!
  const status = /^unmapped_(\d+)$/.exec(reason)?.[1]
  if (status) return { what: `The push service answered ${status}, which we do not know`, todo: REPORT }
  return { what: reason.replaceAll('_', ' '), todo: LOG }
}

/** The reasons of a notification, most frequent first. */
export function ranked(reasons: Readonly<Record<string, number>>): (Explained & { reason: string; count: number })[] {
  return Object.entries(reasons)
    .filter(([reason, count]) => reason !== 'sent' && count > 0)
    .sort(([, one], [, other]) => other - one)
    .map(([reason, count]) => ({ reason, count, ...explained(reason) }))
}
