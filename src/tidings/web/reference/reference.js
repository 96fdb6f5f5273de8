// Draws the OpenAPI document of this server: operations by noun, with their fields and an example for curl.

const METHODS = ['post', 'get', 'put', 'patch', 'delete']
const DEEPEST = 3

function element(name, attributes = {}, ...children) {
  const made = document.createElement(name)
  for (const [key, value] of Object.entries(attributes)) {
    if (value !== undefined && value !== false) made.setAttribute(key, value === true ? '' : value)
  }
  made.append(...children.filter((child) => child !== null && child !== undefined))
  return made
}

/** Text with `code` and [links](to) in it; nothing in a description is ever read as HTML. */
function words(text) {
  const out = document.createDocumentFragment()
  for (const part of text.split(/(`[^`]+`|\[[^\]]+\]\([^)\s]+\))/)) {
    const link = /^\[([^\]]+)\]\((\/[^)\s]*)\)$/.exec(part)
    if (link) out.append(element('a', { href: link[2] }, link[1]))
    else if (part.startsWith('`') && part.endsWith('`') && part.length > 2) out.append(element('code', {}, part.slice(1, -1)))
    else out.append(part.replace(/\s*\n\s*/g, ' '))
  }
  return out
}

function resolver(api) {
  return (schema) => {
    let found = schema ?? {}
    for (let steps = 0; found.$ref && steps < 10; steps += 1) {
      const target = found.$ref.split('/').slice(1).reduce((at, key) => at?.[key.replace(/~1/g, '/')], api)
      found = { ...target, ...Object.fromEntries(Object.entries(found).filter(([key]) => key !== '$ref')) }
    }
    return found
  }
}

/** The alternatives of a schema without null, as one schema where there is one. */
function plain(schema, resolve) {
  const found = resolve(schema)
  const choices = (found.anyOf ?? found.oneOf)?.map(resolve).filter((one) => one.type !== 'null')
  if (!choices) return found
  const rest = Object.fromEntries(Object.entries(found).filter(([key]) => key !== 'anyOf' && key !== 'oneOf'))
  return choices.length === 1 ? { ...choices[0], ...rest } : { ...rest, choices }
}

function typeName(schema, resolve) {
  const found = plain(schema, resolve)
  if (found.choices) return found.choices.map((one) => typeName(one, resolve)).join(' or ')
  if (found.const !== undefined) return JSON.stringify(found.const)
  if (found.enum) return found.enum.map((one) => JSON.stringify(one)).join(' | ')
  if (found.type === 'array') return `list of ${typeName(found.items, resolve)}`
  if (found.format) return found.format
  return found.type ?? 'anything'
}

function limits(schema) {
  const found = []
  if (schema.minLength > 1 || schema.maxLength) found.push(`${schema.minLength ?? 0} to ${schema.maxLength ?? 'any number of'} characters`)
  if (schema.minimum !== undefined || schema.maximum !== undefined) found.push(`${schema.minimum ?? 'any'} to ${schema.maximum ?? 'any'}`)
  if (schema.maxItems) found.push(`up to ${schema.maxItems}`)
  if (schema.default !== undefined && schema.default !== null && schema.default !== '') found.push(`default ${JSON.stringify(schema.default)}`)
  return found.join(', ')
}

function field(name, schema, { needed, resolve, depth }) {
  const found = plain(schema, resolve)
  const inner = found.type === 'array' ? plain(found.items, resolve) : found
  const extra = limits(found)
  const says = found.description ?? ''
  return element('div', {},
    element('dt', {},
      element('code', {}, name),
      element('span', { class: 'quiet' }, typeName(schema, resolve)),
      needed ? element('span', { class: 'needed' }, 'required') : null,
      extra ? element('span', { class: 'quiet' }, extra) : null),
    element('dd', {}, words(says),
      inner.properties && depth < DEEPEST
        ? element('details', { open: depth === 0 && needed }, element('summary', {}, 'Fields'), fields(inner, resolve, depth + 1))
        : null))
}

function fields(schema, resolve, depth = 0) {
  const list = element('dl')
  for (const [name, one] of Object.entries(schema.properties ?? {})) {
    list.append(field(name, one, { needed: schema.required?.includes(name) ?? false, resolve, depth }))
  }
  return list
}

function parameters(operation, resolve) {
  const list = element('dl')
  for (const one of operation.parameters ?? []) {
    const schema = { ...one.schema, description: one.description ?? one.schema?.description }
    list.append(field(one.name, schema, { needed: one.required, resolve, depth: DEEPEST }))
  }
  return list
}

/** A value that would be taken: the example, the default, or one made from the type. */
function sample(schema, resolve, depth = 0) {
  const found = plain(schema, resolve)
  if (found.examples?.length) return found.examples[0]
  if (found.const !== undefined) return found.const
  if (found.enum) return found.enum[0]
  if (found.choices) return sample(found.choices[0], resolve, depth)
  if (found.type === 'object' && found.properties && depth <= DEEPEST) {
    const shown = Object.entries(found.properties).filter(([name, one]) => found.required?.includes(name) || plain(one, resolve).examples)
    if (!shown.length && depth > 0) return firstOf(found, resolve, depth)
    return Object.fromEntries(shown.map(([name, one]) => [name, sample(one, resolve, depth + 1)]))
  }
  if (found.default !== undefined && found.default !== null) return found.default
  if (found.type === 'array') return found.items && depth <= DEEPEST ? [sample(found.items, resolve, depth + 1)] : []
  return { integer: 1, number: 1, boolean: true, object: {}, string: found.format === 'date-time' ? '2027-01-01T09:00:00Z' : '...' }[found.type] ?? null
}

function firstOf(schema, resolve, depth) {
  const [name, one] = Object.entries(schema.properties)[0] ?? []
  return name ? { [name]: sample(one, resolve, depth + 1) } : {}
}

function jsonOf(holder, resolve) {
  const media = resolve(holder)?.content?.['application/json']
  return media?.schema ? plain(media.schema, resolve) : undefined
}

const FILES = { 'text/csv': 'subscribers.csv', 'image/png': 'ferry.png' }

/** What stands for a value that is the reader's own: a variable of the shell where it is secret. */
const HEADERS = { 'Tidings-User': "'Tidings-User: u-42'", 'Tidings-Token': '"Tidings-Token: $TOKEN"' }

function curl(path, method, operation, resolve) {
  const lines = [`curl ${method === 'get' ? '' : `-X ${method.toUpperCase()} `}${location.origin}${path}`]
  if (operation.security) lines.push("  -H 'Authorization: Bearer $TIDINGS_KEY'".replace(/'/g, '"'))
  for (const { name } of operation.parameters ?? []) if (HEADERS[name]) lines.push(`  -H ${HEADERS[name]}`)
  const content = operation.requestBody?.content ?? {}
  const kind = Object.keys(FILES).find((one) => content[one])
  if (kind) {
    lines.push(`  -H 'Content-Type: ${kind}'`, `  --data-binary @${FILES[kind]}`)
  } else if (content['application/json']) {
    const given = content['application/json'].example ?? sample(jsonOf(operation.requestBody, resolve), resolve)
    lines.push("  -H 'Content-Type: application/json'", `  -d '${JSON.stringify(given).replace(/'/g, "'\\''")}'`)
  }
  return lines.join(' \\\n')
}

function copyButton(text) {
  const button = element('button', { type: 'button' }, 'Copy')
  button.addEventListener('click', async () => {
    try {
      await navigator.clipboard.writeText(text)
      button.textContent = 'Copied'
    } catch {
      button.textContent = 'Not allowed here'
    }
    setTimeout(() => { button.textContent = 'Copy' }, 2000)
  })
  return button
}

function answers(operation) {
  const list = element('dl')
  for (const [status, answer] of Object.entries(operation.responses ?? {})) {
    const name = status === 'default' ? 'error' : status
    const says = status === 'default' ? 'One of [these](/docs/errors), as `application/problem+json`.' : answer.description ?? ''
    list.append(element('div', {}, element('dt', {}, element('code', {}, name)), element('dd', {}, words(says))))
  }
  return list
}

function section(title, content) {
  return content.childElementCount ? [element('h4', {}, title), content] : []
}

function drawn({ path, method, operation }, resolve) {
  const body = jsonOf(operation.requestBody, resolve)
  const [status, success] = Object.entries(operation.responses ?? {}).find(([code]) => code.startsWith('2')) ?? []
  const answer = jsonOf(success, resolve)
  const example = curl(path, method, operation, resolve)
  return element('article', { class: 'operation', id: operation.operationId },
    element('div', {},
      element('h3', {}, element('a', { href: `#${operation.operationId}` }, operation.summary)),
      element('p', { class: 'address' }, element('span', { class: `badge ${method}` }, method.toUpperCase()), element('code', {}, path)),
      element('p', {}, words(operation.description ?? '')),
      ...section('Parameters', parameters(operation, resolve)),
      ...(body ? section('Body', fields(body, resolve)) : []),
      ...(!body && operation.requestBody?.description ? [element('h4', {}, 'Body'), element('p', {}, words(operation.requestBody.description))] : []),
      ...section('Answers', answers(operation))),
    element('div', { class: 'example' },
      element('h4', {}, 'Request', copyButton(example)), element('pre', { tabindex: '0' }, element('code', {}, example)),
      answer ? element('h4', {}, `Answer ${status}`) : null,
      answer ? element('pre', { tabindex: '0' }, element('code', {}, JSON.stringify(sample(answer, resolve), null, 2))) : null))
}

function grouped(api) {
  const groups = new Map((api.tags ?? []).map(({ name }) => [name, []]))
  for (const [path, item] of Object.entries(api.paths)) {
    for (const method of METHODS) {
      const operation = item[method]
      if (!operation) continue
      const tag = operation.tags?.[0] ?? 'Other'
      groups.set(tag, [...(groups.get(tag) ?? []), { path, method, operation }])
    }
  }
  return groups
}

function draw(api) {
  const resolve = resolver(api)
  const main = document.getElementById('content')
  const side = document.getElementById('side')
  main.replaceChildren(
    element('h1', {}, 'REST API'),
    ...api.info.description.split('\n\n').map((text) => element('p', {}, words(text))))
  for (const [tag, operations] of grouped(api)) {
    const list = element('ul')
    main.append(element('h2', {}, tag))
    for (const one of operations) {
      main.append(drawn(one, resolve))
      const { operationId, summary } = one.operation
      const find = `${summary} ${one.path} ${one.method} ${operationId}`.toLowerCase()
      list.append(element('li', { 'data-find': find }, element('a', { href: `#${operationId}` }, summary)))
    }
    side.append(element('section', {}, element('h2', {}, tag), list))
  }
  follow(side)
  search(side)
  if (location.hash) document.getElementById(location.hash.slice(1))?.scrollIntoView()
}

function search(side) {
  document.getElementById('find').addEventListener('input', (event) => {
    const wanted = event.target.value.trim().toLowerCase()
    for (const part of side.querySelectorAll('section')) {
      const rows = [...part.querySelectorAll('li')]
      for (const row of rows) row.hidden = !row.dataset.find.includes(wanted)
      part.hidden = rows.every((row) => row.hidden)
    }
  })
}

/** Mark in the side bar what is being read. */
function follow(side) {
  const links = new Map([...side.querySelectorAll('a')].map((link) => [link.hash.slice(1), link]))
  const watcher = new IntersectionObserver((entries) => {
    for (const entry of entries) {
      if (!entry.isIntersecting) continue
      for (const link of links.values()) link.removeAttribute('aria-current')
      links.get(entry.target.id)?.setAttribute('aria-current', 'true')
    }
  }, { rootMargin: '-20% 0px -75% 0px' })
  for (const article of document.querySelectorAll('.operation')) watcher.observe(article)
}

try {
  const answer = await fetch('/openapi.json')
  if (!answer.ok) throw new Error(`the server answered ${answer.status}`)
  draw(await answer.json())
} catch (reason) {
  document.getElementById('state')?.replaceChildren(
    `The description of the API could not be read: ${reason.message}. Reload the page; the same is in `, element('a', { href: '/openapi.json' }, 'openapi.json'), '.')
}
