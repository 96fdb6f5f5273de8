// How the mock API refuses, and how it cuts lists into pages.

export class Refusal extends Error {
  constructor(status, code, title, detail = '', more = {}, headers = {}) {
    super(title)
    this.body = { type: `/docs/errors#${code}`, code, title, status, detail, ...more }
    this.headers = headers
  }
}

export const page = (rows, query) => {
  const from = Number(query.get('cursor') ?? 0), limit = Number(query.get('limit') ?? 50)
  return { data: rows.slice(from, from + limit), next_cursor: from + limit < rows.length ? String(from + limit) : null }
}
