/** The contact address (the VAPID subject) between how people write it and how the API takes it. */

/** What a person typed, as the API takes it: a bare address becomes `mailto:`. */
export function subjectFrom(typed: string): string {
  const text = typed.trim()
  if (/^(mailto:|https:)/i.test(text)) return text
  return text.includes('@') ? `mailto:${text}` : text
}

/** As a person reads it: without `mailto:`. */
export function contactFrom(subject: string): string {
  return subject.replace(/^mailto:/i, '')
}

/** What is wrong with it, in words; the server knows the rest. */
export function contactFault(typed: string): string | undefined {
  const subject = subjectFrom(typed)
  if (!subject) return 'Push services need an address to write to.'
  if (/^mailto:[^@\s]+@[^@\s]+\.[^@\s.]+$/i.test(subject) || /^https:\/\/[^/\s]+\.[^/\s]+/i.test(subject)) return undefined
  return 'Write an email address, such as you@example.com, or an https:// page.'
}
