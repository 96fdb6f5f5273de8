/** Cut a text into what leads somewhere and what does not. Only https leads anywhere; a sentence's own end is none of an address. */
export function linked(text: string): { text: string; href?: string }[] {
  return text.split(/(https:\/\/[\w.-]+(?:\/[^\s<>"]*[\w/=])?)/).filter(Boolean).map((part) => (part.startsWith('https://') ? { text: part, href: part } : { text: part }))
}
