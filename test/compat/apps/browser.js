const { once } = require('node:events')

/** Serves an app on a free port, and creates browsers that visit it. */
async function serve(app) {
  const server = app.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const url = `http://127.0.0.1:${server.address().port}`
  return {
    url,
    browser: () => new Browser(url),
    async close() {
      const closed = once(server, 'close')
      server.close()
      server.closeAllConnections()
      await closed
    },
  }
}

/** A minimal browser: it keeps cookies, submits forms and does not follow redirects. */
class Browser {
  cookies = new Map()

  constructor(url) {
    this.url = url
  }

  get(path) {
    return this.visit(path)
  }

  post(path, fields = {}) {
    return this.visit(path, { method: 'POST', body: new URLSearchParams(fields) })
  }

  async visit(path, init) {
    const cookie = [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; ')
    const response = await fetch(this.url + path, { ...init, headers: { cookie }, redirect: 'manual' })
    const setCookies = response.headers.getSetCookie()
    this.accept(setCookies)
    const text = await response.text()
    return { status: response.status, location: response.headers.get('location'), setCookies, text }
  }

  accept(setCookies) {
    for (const line of setCookies) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(line)
      if (value === '') this.cookies.delete(name)
      else this.cookies.set(name, value)
    }
  }
}

module.exports = { serve }
