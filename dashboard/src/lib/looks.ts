/** How the four systems draw a notification, and what each leaves out. */

export const LOOKS = [
  { name: 'Android', words: 'One line of title; the text unfolds. The image and up to two buttons appear when it is unfolded.' },
  { name: 'Windows', words: 'Chrome and Edge show the image above and up to two buttons. Firefox leaves the image out.' },
  { name: 'macOS', words: 'No large image. The icon stands small at the right; buttons appear under Options.' },
  { name: 'iPhone', words: 'Only after Add to Home Screen. The site’s own icon; no image, no buttons.' },
] as const
