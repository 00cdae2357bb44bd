import { LRUCache } from 'lru-cache'
import type { AccountSummary, PasswordlessOtpStrategy, PasswordlessOtpUser } from 'passport-elasticpath-otp'

export interface CompanyPage {
  companies: AccountSummary[]
  /** How many match the search; all of them if there is no search. */
  total: number
  page: number
  pages: number
  /** How many companies were searched; set if the member has more than that. */
  searched?: number
}

const PAGE = 20
const FETCH = 100
/** A search costs at most 20 calls to Elastic Path. Their result is kept for a minute. */
const SEARCHED = 2_000
/** Milliseconds after which a search makes no more calls. */
const SEARCH_TIME = 8_000

/** Finds a member's companies by page or by name. Elastic Path cannot search them by name. */
export function createCompanyFinder(strategy: Pick<PasswordlessOtpStrategy, 'listAccounts'>) {
  // Limited by the number of names in it, of all members together.
  const names = new LRUCache<string, { companies: AccountSummary[]; total: number }, PasswordlessOtpUser>({
    ttl: 60_000,
    ttlResolution: 0,
    maxSize: 100_000,
    sizeCalculation: ({ companies }) => companies.length + 1,
    async fetchMethod(_member, _stale, { context: user, options }) {
      const deadline = performance.now() + SEARCH_TIME
      const companies: AccountSummary[] = []
      let total = Infinity
      const isDone = () => companies.length >= Math.min(total, SEARCHED)
      while (!isDone() && performance.now() < deadline) {
        const next = await strategy.listAccounts(user, { limit: FETCH, offset: companies.length })
        companies.push(...next.accounts)
        total = next.accounts.length ? next.total : companies.length
      }
      // A part is not kept: the next search may be faster.
      if (!isDone()) options.ttl = 1
      return { companies, total }
    },
  })

  return async (user: PasswordlessOtpUser, query: string, asked: number): Promise<CompanyPage> => {
    if (query === '') {
      const { accounts, total } = await strategy.listAccounts(user, {
        limit: PAGE,
        offset: (asked - 1) * PAGE,
      })
      return { companies: accounts, total, page: asked, pages: Math.ceil(total / PAGE) }
    }
    const all = await names.forceFetch(user.accountMemberId, { context: user })
    const words = fold(query).split(/\s+/)
    const found = all.companies.filter(({ name }) => words.every((word) => fold(name).includes(word)))
    const pages = Math.ceil(found.length / PAGE)
    const page = Math.max(1, Math.min(asked, pages))
    return {
      companies: found.slice((page - 1) * PAGE, page * PAGE),
      total: found.length,
      page,
      pages,
      ...(all.total > all.companies.length && { searched: all.companies.length }),
    }
  }
}

/** `societe` finds `Société`. */
const fold = (text: string) => text.normalize('NFKD').replace(/\p{M}/gu, '').toLowerCase().trim()
