/** How the four systems draw a notification, and what each leaves out; `lines` are those of title and text before it is unfolded, as the previews draw them. */

export const LOOKS = [
  { name: 'Android', lines: [1, 3], buttons: true, words: 'One line of title; the text unfolds. The image and up to two buttons appear when it is unfolded.' },
  { name: 'Windows', lines: [2, 3], buttons: true, words: 'Chrome and Edge show the image above and up to two buttons. Firefox leaves the image out.' },
  { name: 'macOS', lines: [1, 2], buttons: true, words: 'No large image. The icon stands small at the right; up to two buttons appear under Options. Safari has none.' },
  { name: 'iPhone', lines: [2, 4], buttons: false, words: 'Only after Add to Home Screen. The site’s own icon; no image, no buttons.' },
] as const
