// The built files with the mock API, under the headers of the real server: SCENE=busy PORT=0 npm run serve
import { createReadStream, existsSync, statSync } from 'node:fs'
import { createServer } from 'node:http'
import { extname, join, normalize } from 'node:path'
import { fileURLToPath } from 'node:url'

import { mockApi } from './mock.mjs'

const FOLDER = fileURLToPath(new URL('../../src/tidings/web/static/dashboard', import.meta.url))
const TYPES = {
  '.html': 'text/html; charset=utf-8', '.js': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml', '.png': 'image/png',
  '.woff2': 'font/woff2', '.webmanifest': 'application/manifest+json',
}
const POLICY = "default-src 'self'; img-src 'self' data: https:; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"

const api = mockApi({ scene: process.env.SCENE ?? 'busy' })

const server = createServer((request, response) => {
  void api(request, response, () => {
    const wanted = join(FOLDER, normalize(new URL(request.url, 'http://localhost').pathname))
    const file = existsSync(wanted) && statSync(wanted).isFile() ? wanted : join(FOLDER, 'index.html')
    response.writeHead(200, { 'content-type': TYPES[extname(file)] ?? 'application/octet-stream', 'content-security-policy': POLICY, 'cache-control': 'no-cache' })
    createReadStream(file).pipe(response)
  })
})
server.listen(Number(process.env.PORT ?? 5174), '127.0.0.1', () => console.log(`http://localhost:${server.address().port}`))
