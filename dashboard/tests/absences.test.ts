import { describe, expect, it } from 'vitest'

import { absenceInWords, stand } from '../src/lib/absences'

describe('why nothing was sent to somebody', () => {
  it('says how their devices ended, in words', () => {
    const { what, details } = absenceInWords({ reason: 'device_ended', because: ['permission_revoked'], at: null })
    expect(what).toBe('Push is off at each of their devices')
    expect(details).toEqual(['Its user took the permission for notifications back'])
  })

  it('keeps the comparisons that decided it', () => {
    const line = 'user.plan == "pro" does not hold: user.plan is "free"'
    expect(absenceInWords({ reason: 'conditions', because: [line], at: null }).details).toEqual([line])
  })

  it('says since when, and till when', () => {
    expect(absenceInWords({ reason: 'subscribed_later', because: [], at: '2026-11-20T09:00:00Z' }).details[0]).toContain('20 Nov 2026')
    expect(absenceInWords({ reason: 'quiet_hours', because: [], at: '2026-11-20T09:00:00Z' }).details).toHaveLength(1)
  })

  it('says "not sent" of nobody who may have been told', () => {
    const of = (reason: string) => stand({ reason, because: [], at: null })
    expect(['conditions', 'cancelled', 'under_way', 'in_doubt', 'forgotten'].map(of)).toEqual(['unsent', 'cancelled', 'sending', 'unknown', 'unknown'])
  })

  it('names the channels', () => {
    expect(absenceInWords({ reason: 'channel', because: ['apns'], at: null }).details).toEqual(['APNs'])
  })

  it('shows a reason that it does not know', () => {
    expect(absenceInWords({ reason: 'moon_phase', because: [], at: null }).what).toBe('moon phase')
  })
})
