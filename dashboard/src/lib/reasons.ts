/** Why a delivery did not arrive, in words, and what to do about it; the keys are those the workers count. */

export interface Explained {
  what: string
  todo: string
}

const NOTHING = 'Nothing to do.'
const RESUBSCRIBES = 'Nothing to do: the SDK subscribes the device again on its next visit.'
const RETRIED = 'It was tried several times. If this lasts, see the status page of the push service.'
const LOG = 'The log of the worker has the answer in full.'

const TABLE: Readonly<Record<string, Explained>> = {
  gone: { what: 'The browser or device no longer has this subscription', todo: 'Nothing to do: these subscriptions are now expired and are left out next time.' },
  key_mismatch: { what: 'Made with another VAPID key', todo: RESUBSCRIBES },
  payload_too_large: { what: 'The message is too long for this push service', todo: 'Shorten the message or its addresses to 2\u202f700 bytes, which every browser takes.' },
  too_large_for_mozilla: { what: 'The message is too long for the push service of Firefox', todo: 'Shorten the message or its addresses to 2\u202f700 bytes, which every browser takes.' },
  ttl_ended: { what: 'Not delivered before its time to live ended', todo: 'Send with a longer time to live if it is still worth reading later.' },
  unsubscribed: { what: 'Unsubscribed after the notification was accepted', todo: NOTHING },
  by_device: { what: 'Turned off on the device', todo: NOTHING },
  no_credential: { what: 'No key fits this subscription', todo: 'It was made with a revoked or unknown key. ' + RESUBSCRIBES },
  in_doubt: { what: 'May have left just before a worker stopped', todo: 'Left out on purpose, because this notification must not arrive twice.' },
  cancelled: { what: 'The notification was cancelled', todo: NOTHING },
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
  unmapped_answer: { what: 'The push service gave an answer we do not know', todo: `${LOG} Please report it.` },
  redirected: { what: 'The push service answered with another address', todo: 'Redirects are never followed. ' + LOG },
  key_revoked: { what: 'Its VAPID key was revoked', todo: RESUBSCRIBES },
  vapid_key_mismatch: { what: 'Made with another VAPID key', todo: RESUBSCRIBES },
}

/** What a counted reason means; one that is not in the table is shown as it is. */
export function explained(reason: string): Explained {
  const known = TABLE[reason]
  if (known) return known
  const status = /^unmapped_(\d+)$/.exec(reason)?.[1]
  if (status) return { what: `The push service answered ${status}, which we do not know`, todo: `${LOG} Please report it.` }
  return { what: reason.replaceAll('_', ' '), todo: LOG }
}

/** The reasons of a notification, most frequent first. */
export function ranked(reasons: Readonly<Record<string, number>>): (Explained & { reason: string; count: number })[] {
  return Object.entries(reasons)
    .filter(([reason, count]) => reason !== 'sent' && count > 0)
    .sort(([, one], [, other]) => other - one)
    .map(([reason, count]) => ({ reason, count, ...explained(reason) }))
}
