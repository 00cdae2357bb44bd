import type { Io } from '../io'
import type { Settings } from '../settings'
import type { Integration, Profile, Store } from '../store'

export type Status = 'ok' | 'warning' | 'error' | 'skipped'

/** What a check found, and what to do if that is not as it should be. */
export interface Finding {
  readonly status: Status
  readonly message: string
  readonly fix?: string
}

/** What a check needs from those before it. */
export type Need = 'answer' | 'token' | 'credentials' | 'realm' | 'profile' | 'integration'

export interface Check {
  readonly id: string
  readonly needs?: Need
  readonly run: (visit: Visit) => Promise<Finding> | Finding
}

/** One run of the doctor: what the checks work with, and what they have learned so far. */
export interface Visit {
  readonly io: Io
  readonly settings: Settings
  readonly store: Store
  /** The answer that the first check got. */
  answer?: { readonly date: number | undefined; readonly receivedAt: number }
  realmId?: string | undefined
  tokenLifetime?: number | undefined
  profiles?: readonly Profile[]
  /** The profile that the shop signs in with. */
  profile?: Profile
  /** The webhook that delivers codes. */
  integration?: Integration
}

export const ok = (message: string): Finding => ({ status: 'ok', message })
export const warning = (message: string, fix: string): Finding => ({ status: 'warning', message, fix })
export const problem = (message: string, fix: string): Finding => ({ status: 'error', message, fix })
export const skipped = (message: string, fix?: string): Finding => ({
  status: 'skipped',
  message,
  ...(fix !== undefined && { fix }),
})

/** Why a check that needs this cannot run; undefined if it can. */
export function missing(need: Need | undefined, visit: Visit): string | undefined {
  switch (need) {
    case undefined:
      return undefined
    case 'answer':
      return visit.answer ? undefined : 'the store cannot be reached'
    case 'token':
      return visit.store.has('implicit') || visit.store.has('client_credentials')
        ? undefined
        : 'there is no access token'
    case 'credentials':
      return visit.store.has('client_credentials') ? undefined : 'it needs a token with EPCC_CLIENT_SECRET'
    case 'realm':
      return visit.realmId === undefined ? 'the authentication realm is not known' : undefined
    case 'profile':
      return visit.profile ? undefined : 'no password profile was found that signs in with codes'
    case 'integration':
      return visit.integration ? undefined : 'no webhook was found that delivers codes'
  }
}
