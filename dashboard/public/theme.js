// A file of its own, and not a module, so that the chosen theme is there before the first paint under a strict CSP.
try {
  const chosen = localStorage.getItem('tidings.theme')
  if (chosen === 'light' || chosen === 'dark') document.documentElement.dataset.theme = `tidings-${chosen}`
} catch {
  // Storage is blocked: the system's theme applies.
}
