import { INTEGRATION_NAME } from '../doctor/webhook-checks'
import { CliError, UsageError } from '../errors'
import { APPLICATION_KEYS, isLoopback, readBaseUrl, requireClientId, type Settings } from '../settings'
import { CODE_EVENT, type Integration, type Profile } from '../store'
import type { Terminal } from '../terminal'
import { makeSecret, type Secret } from './plan'

/** Settings that are enough to change a store. */
export type CompleteSettings = Settings & { readonly clientId: string; readonly clientSecret: string }

/** What the user decides: by flag, by setting, or by an answer. */
export class Choices {
  constructor(
    private readonly terminal: Terminal,
    /** Whether questions may be asked. */
    private readonly asks: boolean,
  ) {}

  /** The settings with what was missing, if it can be asked for. */
  async complete(settings: Settings): Promise<CompleteSettings> {
    const { terminal } = this
    if (!this.asks) {
      const clientId = requireClientId(settings)
      const { clientSecret } = settings
      if (clientSecret === undefined) {
        throw new UsageError(
          'EPCC_CLIENT_SECRET is not set. Changing a store needs it.',
          `${APPLICATION_KEYS} Put it into .env.`,
        )
      }
      return { ...settings, clientId, clientSecret }
    }
    if (settings.clientId === undefined) terminal.line(APPLICATION_KEYS)
    const clientId = settings.clientId ?? (await this.require('Client id'))
    const asked = settings.hasBaseUrl
      ? undefined
      : await terminal.ask('API base URL of the region', settings.baseUrl.origin)
    const baseUrl = asked === undefined ? settings.baseUrl : readBaseUrl('The base URL', asked)
    const clientSecret =
      settings.clientSecret ?? (await terminal.askSecret('Client secret, used for this setup only'))
    if (clientSecret === '')
      throw new UsageError('Changing a store needs the client secret.', APPLICATION_KEYS)
    return { ...settings, clientId, clientSecret, baseUrl, hasBaseUrl: true }
  }

  /** The profile to turn codes on for. Undefined if the realm has none. */
  async profile(profiles: readonly Profile[], named: string | undefined): Promise<Profile | undefined> {
    if (named !== undefined) {
      const profile = profiles.find(({ id, name }) => id === named || name === named)
      if (profile) return profile
      throw new CliError(
        `The realm has no password profile "${named}".`,
        `Correct --profile or EPCC_PASSWORD_PROFILE_ID. There are: ${profiles.map(label).join(', ') || 'none'}`,
      )
    }
    const enabled = profiles.filter(({ issuesCodes }) => issuesCodes)
    const candidates = enabled.length > 0 ? enabled : profiles
    if (candidates.length < 2) return candidates[0]
    const names = candidates.map(label)
    if (!this.asks)
      throw new UsageError(
        'The realm has several password profiles.',
        `Pass --profile with one of: ${names.join(', ')}`,
      )
    return candidates[await this.pick('Password profile for the shop', names)]
  }

  /** The integration to correct. Undefined to make a new one. */
  async integration(
    all: readonly Integration[],
    named: string | undefined,
  ): Promise<Integration | undefined> {
    const own = all.find(({ name, type }) => name === INTEGRATION_NAME && type === 'webhook')
    if (named !== undefined) {
      const chosen = all.find(({ id, type }) => id === named && type === 'webhook')
      if (chosen) return chosen
      throw new CliError(`There is no webhook integration ${named}.`, 'Correct --integration.')
    }
    const others = all.filter((other) => other !== own && other.observes.includes(CODE_EVENT))
    for (const { name, id, url = 'no URL' } of others) {
      this.terminal.line(`The integration "${name}" (${id}) delivers codes too, to ${url}. It is left alone.`)
    }
    const webhooks = others.filter(({ type }) => type === 'webhook')
    if (own || webhooks.length === 0 || !this.asks) return own
    const names = webhooks.map(({ name, id }) => `Use and rename "${name}" (${id})`)
    const index = await this.pick('Webhook', ['Create a new integration, in addition', ...names])
    return webhooks[index - 1]
  }

  async webhookUrl(
    flag: string | undefined,
    existing: Integration | undefined,
    baseUrl: URL,
  ): Promise<string> {
    const known = flag ?? existing?.url
    if (known !== undefined) return readWebhookUrl(known, baseUrl)
    if (!this.asks)
      throw new UsageError(
        '--webhook-url is missing.',
        'For example: --webhook-url https://shop.example.com/webhooks/otp',
      )
    this.terminal.line(
      'Elastic Path posts each code to your shop. On your own machine, start a tunnel and use its https URL.',
    )
    return readWebhookUrl(
      await this.require('URL of the webhook, such as https://shop.example.com/webhooks/otp'),
      baseUrl,
    )
  }

  /** The webhook's secret: the setting; else what the user pastes; else a new one. */
  async secret(setting: string | undefined, existing: Integration | undefined): Promise<Secret> {
    if (setting !== undefined) return given(setting)
    if (!existing) return makeSecret({ replaces: false })
    this.terminal.line(`No setting holds the secret of the integration "${existing.name}".`)
    const pasted = this.asks
      ? await this.terminal.askSecret('Paste it, or press Enter to make a new one')
      : ''
    if (pasted !== '') return given(pasted)
    this.terminal.line(
      this.terminal.paint(
        'yellow',
        '! setup makes a new one. The old one stops working: running shops refuse deliveries until they get the new one.',
      ),
    )
    return makeSecret({ replaces: true })
  }

  private async require(question: string): Promise<string> {
    for (;;) {
      const answer = await this.terminal.ask(question)
      if (answer !== '') return answer
    }
  }

  /** The index of an entry. Enter picks the first. */
  private async pick(question: string, entries: readonly string[]): Promise<number> {
    entries.forEach((entry, index) => this.terminal.line(`  ${index + 1}. ${entry}`))
    for (;;) {
      const answer = Number(await this.terminal.ask(question, '1'))
      if (Number.isInteger(answer) && answer >= 1 && answer <= entries.length) return answer - 1
    }
  }
}

function readWebhookUrl(value: string, baseUrl: URL): string {
  if (!URL.canParse(value))
    throw new UsageError(
      `The webhook's URL must look like https://shop.example.com/webhooks/otp, not "${value}".`,
    )
  const { protocol, hostname, hash, username, password } = new URL(value)
  const isSimulated = isLoopback(baseUrl.hostname)
  if (isLoopback(hostname) && !isSimulated) {
    throw new UsageError(
      `Elastic Path cannot reach ${hostname}.`,
      'Start a tunnel to this machine, and pass its https URL.',
    )
  }
  if (protocol !== 'https:' && !isLoopback(hostname)) {
    throw new UsageError("The webhook's URL must begin with https://, because it carries codes.")
  }
  if (hash !== '' || username !== '' || password !== '')
    throw new UsageError("The webhook's URL must have neither a fragment nor a password.")
  return value
}

function given(value: string): Secret {
  if (/^[\x21-\x7e]{16,256}$/.test(value)) return { value, isNew: false, replaces: false }
  throw new UsageError(
    'The webhook secret must be 16 to 256 ASCII characters without spaces.',
    'Remove EPCC_WEBHOOK_SECRET from the settings to get a new one.',
  )
}

function label({ id, name, issuesCodes }: Profile): string {
  return `${id} "${name}"${issuesCodes ? ' (codes on)' : ''}`
}
