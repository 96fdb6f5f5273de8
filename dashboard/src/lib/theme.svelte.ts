/** Light, dark, or as the system has it; remembered on this device. */

export type Choice = 'system' | 'light' | 'dark'

const NAME = 'tidings.theme'

function remembered(): Choice {
  try {
    const value = localStorage.getItem(NAME)
    return value === 'light' || value === 'dark' ? value : 'system'
  } catch {
    // Storage is blocked: nothing is remembered.
    return 'system'
  }
}

class Theme {
  choice = $state<Choice>(remembered())

  choose = (choice: Choice): void => {
    this.choice = choice
    if (choice === 'system') delete document.documentElement.dataset.theme
    else document.documentElement.dataset.theme = `tidings-${choice}`
    try {
      if (choice === 'system') localStorage.removeItem(NAME)
      else localStorage.setItem(NAME, choice)
    } catch {
      // Storage is blocked: the choice holds until the page is left.
    }
  }
}

export const theme = new Theme()
