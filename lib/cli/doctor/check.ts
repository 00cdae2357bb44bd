import type { Io } from '../io'
import type { Settings } from '../settings'
import type { Integration, Profile, Store } from '../store'

export type Status = 'ok' | 'warning' | 'error' | 'skipped'

/** What a check found, and what to do if that is not as it should be. */
export interface Finding {
  readonly status: Status
  readonly message: string
  readonly fix?: string | undefined
}

export interface Check {
  readonly id: string
  readonly run: (visit: Visit) => Promise<Finding> | Finding
}

/** The answer that the first check got. */
export interface FirstAnswer {
  readonly date: number | undefined
  readonly receivedAt: number
}

/** The profile that the shop signs in with, and its realm. */
export type ShopProfile = Profile & { readonly realmId: string }

/** One run of the doctor: what the checks work with, and what they have learned so far. */
export interface Visit {
  readonly io: Io
  readonly settings: Settings
  readonly store: Store
  answer?: FirstAnswer
  realmId?: string | undefined
  tokenLifetime?: number | undefined
  profile?: ShopProfile
  /** The webhook that delivers codes. */
  integration?: Integration
}

/** What a check needs from those before it. */
interface Need<Needed> {
  readonly find: (visit: Visit) => Needed | undefined
  /** Why it is missing. */
  readonly absence: string
}

export const ANSWER: Need<FirstAnswer> = {
  find: ({ answer }) => answer,
  absence: 'the store cannot be reached',
}
export const TOKEN: Need<true> = {
  find: ({ store }) => store.has('implicit') || store.has('client_credentials') || undefined,
  absence: 'there is no access token',
}
export const CREDENTIALS: Need<true> = {
  find: ({ store }) => store.has('client_credentials') || undefined,
  absence: 'it needs a token with EPCC_CLIENT_SECRET',
}
export const REALM: Need<string> = {
  find: ({ realmId }) => realmId,
  absence: 'the authentication realm is not known',
}
export const PROFILE: Need<ShopProfile> = {
  find: ({ profile }) => profile,
  absence: 'no password profile was found that signs in with codes',
}
export const INTEGRATION: Need<Integration> = {
  find: ({ integration }) => integration,
  absence: 'no webhook was found that delivers codes',
}

/** A check that is skipped if what it needs is missing. */
export function check<Needed>(
  id: string,
  need: Need<Needed>,
  run: (visit: Visit, needed: Needed) => Promise<Finding> | Finding,
): Check {
  return {
    id,
    run: (visit) => {
      const needed = need.find(visit)
      if (needed === undefined) return skipped(`Not checked: ${id}, because ${need.absence}.`)
      return run(visit, needed)
    },
  }
}

export const ok = (message: string): Finding => ({ status: 'ok', message })
export const warning = (message: string, fix: string): Finding => ({ status: 'warning', message, fix })
export const problem = (message: string, fix?: string): Finding => ({ status: 'error', message, fix })
export const skipped = (message: string, fix?: string): Finding => ({ status: 'skipped', message, fix })
