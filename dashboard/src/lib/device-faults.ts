/** Why push could not be enabled on this device, and what to do: the SDK speaks to developers, and in English. */

export interface SdkFault {
  code: string
  message: string
}

const SERVER = /^(server_unreachable|timed_out|rate_limited|service_busy|internal_error)$/

/** Say it; what only a developer can mend stays in the SDK's own words. */
export function whyNot({ code, message }: SdkFault, brave: boolean): string {
  if (code === 'subscribe_failed' || (code === 'timed_out' && /push service/.test(message))) {
    return brave
      ? 'Brave has push messages turned off. Open brave://settings/privacy, turn on “Use Google services for push messaging”, then restart Brave.'
      : 'This browser does not reach its push service. A firewall, a VPN or a setting of the browser may block it. Try again on another network, or in another browser.'
  }
  if (SERVER.test(code)) return 'The Tidings server did not answer in time. Check the connection, then try again.'
  return message
}
