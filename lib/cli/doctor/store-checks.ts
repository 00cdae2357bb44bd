import { COMMAND } from '../flags'
import { APPLICATION_KEYS, isLoopback } from '../settings'
import type { Profile } from '../store'
import {
  ANSWER,
  check,
  ok,
  problem,
  PROFILE,
  REALM,
  skipped,
  TOKEN,
  warning,
  type Check,
  type Finding,
  type FirstAnswer,
  type ShopProfile,
  type Visit,
} from './check'

const REGIONS: Readonly<Record<string, string>> = {
  'useast.api.elasticpath.com': 'US East',
  'euwest.api.elasticpath.com': 'EU West',
}
const SKEW_TO_MENTION = 30_000
// A code lives ten minutes. A clock that is wrong by as much makes new codes look expired.
const SKEW_THAT_BREAKS = 600_000
const SHORTEST_TOKEN = 900
const LONGEST_TOKEN = 30 * 86_400

export const SETUP = `npx ${COMMAND} setup`

/** Checks of the store itself, from the network to the realm's password profiles. */
export const STORE_CHECKS: readonly Check[] = [
  { id: 'base_url', run: baseUrl },
  check('clock', ANSWER, clock),
  check('implicit_token', ANSWER, implicitToken),
  check('client_credentials_token', ANSWER, credentialsToken),
  check('realm', TOKEN, realm),
  check('profiles', REALM, profiles),
  check('username_format', PROFILE, usernameFormat),
]

export const LAST_CHECKS: readonly Check[] = [
  check('account_token_lifetime', REALM, accountTokenLifetime),
  { id: 'node_version', run: nodeVersion },
]

async function baseUrl(visit: Visit): Promise<Finding> {
  const { baseUrl, hasBaseUrl } = visit.settings
  const { status, date } = await visit.store.reach()
  if (status >= 500) {
    return problem(
      `${baseUrl.origin} returns ${status}. This is a failure of Elastic Path.`,
      'Try again later.',
    )
  }
  visit.answer = { date, receivedAt: visit.io.clock.now() }
  const region = REGIONS[baseUrl.hostname]
  if (region !== undefined) {
    const message = `${baseUrl.origin} answers (region ${region}).`
    if (hasBaseUrl) return ok(message)
    return ok(
      `${message} EPCC_BASE_URL is not set, so this is the default region. The app must use the same baseUrl.`,
    )
  }
  if (isLoopback(baseUrl.hostname)) return ok(`${baseUrl.origin} answers (on this machine, a simulator).`)
  return warning(
    `${baseUrl.origin} answers, but is neither of Elastic Path's regions.`,
    `If that is not meant, set EPCC_BASE_URL to one of: ${Object.keys(REGIONS)
      .map((host) => `https://${host}`)
      .join(', ')}`,
  )
}

function clock(_: Visit, { date, receivedAt }: FirstAnswer): Finding {
  if (date === undefined) return skipped('The clocks were not compared: the answer has no Date header.')
  const skew = receivedAt - date
  const seconds = Math.round(Math.abs(skew) / 1000)
  if (Math.abs(skew) < SKEW_TO_MENTION) return ok('The clock of this machine agrees with Elastic Path.')
  const message = `The clock of this machine is ${seconds} seconds ${skew > 0 ? 'ahead of' : 'behind'} Elastic Path.`
  const fix = 'Turn on time synchronization, for example: sudo timedatectl set-ntp true'
  if (Math.abs(skew) < SKEW_THAT_BREAKS) return warning(message, fix)
  return problem(`${message} New codes can look expired.`, fix)
}

async function implicitToken({ store, settings }: Visit): Promise<Finding> {
  const token = await store.authenticate('implicit')
  if (token) return ok(`The client id gets an implicit access token${lifetimeOf(token)}.`)
  const message = 'Elastic Path refuses an implicit access token to this client id.'
  if (settings.clientSecret === undefined) {
    return problem(
      message,
      `Check EPCC_CLIENT_ID and EPCC_BASE_URL.${otherRegion(settings.baseUrl)} ${APPLICATION_KEYS}`,
    )
  }
  return warning(
    message,
    'If the next check succeeds, the key allows no implicit tokens: pass clientSecret to the strategy.',
  )
}

async function credentialsToken({ store, settings }: Visit): Promise<Finding> {
  if (settings.clientSecret === undefined) {
    return skipped(
      'EPCC_CLIENT_SECRET is not set, so the webhook and its deliveries cannot be checked.',
      'Set it for this command only: EPCC_CLIENT_SECRET=… in the environment or in .env.',
    )
  }
  const token = await store.authenticate('client_credentials')
  if (token) return ok(`The client secret gets a client_credentials access token${lifetimeOf(token)}.`)
  if (!store.has('implicit')) {
    return problem(
      'Elastic Path refuses both an implicit and a client_credentials access token.',
      `Check EPCC_CLIENT_ID, EPCC_CLIENT_SECRET and EPCC_BASE_URL.${otherRegion(settings.baseUrl)} ${APPLICATION_KEYS}`,
    )
  }
  return problem(
    'Elastic Path refuses a client_credentials access token to this client id and secret.',
    `Check EPCC_CLIENT_SECRET: it belongs to the same application key as EPCC_CLIENT_ID. ${APPLICATION_KEYS}`,
  )
}

/** A hint that the store may be in another region than the one that was checked, which is a common mistake. */
function otherRegion({ hostname }: URL): string {
  const others = Object.keys(REGIONS).filter((host) => host !== hostname)
  if (others.length === Object.keys(REGIONS).length) return ''
  const lines = others.map((host) => `EPCC_BASE_URL=https://${host}`)
  return ` A common cause is that the store is in the other region: ${lines.join(' or ')}.`
}

async function realm(visit: Visit): Promise<Finding> {
  const { realmId, tokenLifetime } = await visit.store.accountSettings()
  const named = visit.settings.authenticationRealmId
  visit.tokenLifetime = tokenLifetime
  visit.realmId = named ?? realmId
  if (realmId === undefined && named === undefined) {
    return problem(
      "The store's account settings name no authentication realm.",
      'Set up account authentication in Commerce Manager, under Settings > Account Management.',
    )
  }
  if (named !== undefined && named !== realmId) {
    return warning(
      `EPCC_AUTHENTICATION_REALM_ID is ${named}, but account members of this store sign in to ${realmId ?? 'no realm'}.`,
      'Remove EPCC_AUTHENTICATION_REALM_ID unless you know that this realm is meant.',
    )
  }
  return ok(`Account members sign in to the realm ${realmId}.`)
}

async function profiles(visit: Visit, realmId: string): Promise<Finding> {
  const all = await visit.store.profiles(realmId)
  const named = visit.settings.passwordProfileId
  const enabled = all.filter(({ issuesCodes }) => issuesCodes)
  const found = all.length === 0 ? 'The realm has no password profile' : `Profiles: ${list(all)}`
  if (named !== undefined) {
    const profile = all.find(({ id }) => id === named)
    if (!profile) {
      return problem(
        `The realm has no password profile ${named}. ${found}.`,
        'Correct EPCC_PASSWORD_PROFILE_ID, or remove it.',
      )
    }
    if (!profile.issuesCodes) {
      return problem(`The password profile "${profile.name}" has one-time codes turned off.`, `Run: ${SETUP}`)
    }
    visit.profile = { ...profile, realmId }
    return ok(`The password profile "${profile.name}" signs in with codes.`)
  }
  const [only, second] = enabled
  if (!only) return problem(`No password profile has one-time codes turned on. ${found}.`, `Run: ${SETUP}`)
  if (second) {
    return problem(
      `${enabled.length} password profiles have one-time codes turned on: ${list(enabled)}.`,
      'Choose one for the shop: EPCC_PASSWORD_PROFILE_ID, which is the option passwordProfileId.',
    )
  }
  visit.profile = { ...only, realmId }
  return ok(`The password profile "${only.name}" signs in with codes.`)
}

function usernameFormat(_: Visit, { id, realmId, usernameFormat: format }: ShopProfile): Finding {
  if (format === undefined) return ok('The password profile does not say which usernames it allows.')
  if (format === 'email') return ok('Usernames are email addresses.')
  return warning(
    `Usernames can be any text (username_format: ${format}). If one is not an email address, its upper and lower case ` +
      'matter, and a form field of the type email does not accept it.',
    'If all usernames are email addresses, send PUT ' +
      `/v2/authentication-realms/${realmId}/password-profiles/${id} with username_format set to email. ` +
      'Otherwise let the sign-in form accept any text.',
  )
}

function accountTokenLifetime({ tokenLifetime }: Visit): Finding {
  if (tokenLifetime === undefined) return ok('The lifetime of account tokens is not set; it is a day.')
  const message = `Account tokens are valid for ${tokenLifetime} seconds.`
  const setting =
    'account_management_authentication_token_timeout_secs in /v2/settings/account-authentication'
  if (tokenLifetime < SHORTEST_TOKEN) {
    return warning(
      `${message} Shoppers are signed out after short breaks.`,
      `Raise ${setting}. The default is 86400.`,
    )
  }
  if (tokenLifetime > LONGEST_TOKEN) {
    return warning(
      `${message} A stolen token works for the same time.`,
      `Lower ${setting}. The default is 86400.`,
    )
  }
  return ok(message)
}

function nodeVersion({ io: { nodeVersion: version } }: Visit): Finding {
  const [major = 0, minor = 0, patch = 0] = version.replace(/^v/, '').split('.').map(Number)
  const isEnough = major > 20 || (major === 20 && (minor > 18 || (minor === 18 && patch >= 1)))
  if (isEnough) return ok(`Node ${version} is supported.`)
  return problem(`Node ${version} is too old.`, 'Install Node 20.18.1 or later.')
}

function lifetimeOf({ lifetime }: { lifetime: number | undefined }): string {
  return lifetime === undefined ? '' : `, valid for ${lifetime} seconds`
}

function list(profiles: readonly Profile[]): string {
  const shown = profiles
    .slice(0, 10)
    .map(({ id, name, issuesCodes }) => `${id} "${name}" (codes ${issuesCodes ? 'on' : 'off'})`)
  return shown.join(', ') + (profiles.length > shown.length ? ', …' : '')
}
