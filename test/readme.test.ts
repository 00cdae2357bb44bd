import { execFile, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import supertest from 'supertest'
import { ElasticPathSimulator } from '../lib/testing'

const ADA = 'ada@example.com'
const ROOT = join(__dirname, '..')

/** The listing as it stands, with what it leaves to the app: a mailer, a home page, and a port to listen at. */
function listing(): string {
  const readme = readFileSync(join(ROOT, 'README.md'), 'utf8')
  const code = /^## In your shop$[\s\S]*?^```js\n([\s\S]*?)^```$/m.exec(readme)?.[1]
  if (code === undefined) throw new Error('The README has no listing under "In your shop"')
  return `${code}
    function sendMail(to, text) { process.send({ to, text }) }
    app.get('/', (req, res) => res.json({ account: req.user?.account.name ?? null }))
    app.get('/as-account', (req, res) => res.json(Object.keys(asAccount(req, 'a bearer'))))
    app.listen(0, '127.0.0.1', function () { process.send({ port: this.address().port }) })`
}

interface Message {
  port?: number
  to?: string
  text?: string
}

async function messageOf(child: ChildProcess): Promise<Message> {
  const [message] = (await once(child, 'message')) as [Message]
  return message
}

test("the README's listing runs: ask, deliver, sign in, switch", async () => {
  const simulator = await ElasticPathSimulator.start({
    members: [{ username: ADA, accounts: [{ name: 'Boats' }, { name: 'Ropes', id: 'ropes' }] }],
  })
  const child = spawn(process.execPath, ['--input-type=module'], {
    // Where the package is installed the way an app installs it.
    cwd: join(ROOT, 'example-app'),
    stdio: ['pipe', 'inherit', 'inherit', 'ipc'],
    env: {
      PATH: process.env['PATH'],
      EPCC_CLIENT_ID: simulator.clientId,
      EPCC_BASE_URL: simulator.url,
      EPCC_WEBHOOK_SECRET: 'a secret key of the integration',
      SESSION_SECRET: 'a secret for sessions',
    },
  })
  const exited = once(child, 'exit')
  try {
    child.stdin?.end(listing())
    const { port } = await messageOf(child)
    const url = `http://127.0.0.1:${port}`
    simulator.deliverTo({ url: `${url}/webhooks/otp`, secretKey: 'a secret key of the integration' })
    const browser = supertest.agent(url)

    const mailed = messageOf(child)
    await browser.post('/login/code').type('form').send({ username: ADA }).expect('Location', '/login/verify')
    const { to, text = '' } = await mailed
    expect(to).toBe(ADA)
    const otp = text.replace('Your code is ', '')

    await browser
      .post('/login')
      .type('form')
      .send({ username: ADA, otp: 'wrong1' })
      .expect('Location', '/login/verify')
    await browser.post('/login').type('form').send({ username: ADA, otp }).expect('Location', '/')
    await browser.get('/').expect(200, { account: 'Boats' })
    await browser.post('/accounts/switch').type('form').send({ account_id: 'ropes' }).expect('Location', '/')
    await browser.get('/').expect(200, { account: 'Ropes' })
    await browser.get('/as-account').expect(['Authorization', 'EP-Account-Management-Authentication-Token'])
  } finally {
    child.kill()
    await exited
    await simulator.stop()
  }
}, 30_000)

test("the README's figures and its chart are those that were measured", async () => {
  await promisify(execFile)(process.execPath, [join(ROOT, 'bench/report.mjs'), '--check'])
})
