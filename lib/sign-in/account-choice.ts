import type { Request } from 'express'
import {
  findAccount,
  MAX_PAGE,
  summarize,
  visitFurtherPages,
  type PageReader,
  type PageWindow,
  type TokenPage,
} from './commerce/account-tokens'
import type { Operation } from './commerce/operation'
import type { Settings } from './options'
import type { AccountSummary, AccountToken } from './user'

/** The account a sign-in ends with; undefined where the shopper still has to choose one of several. */
export type Selection =
  { account: AccountToken | undefined } | { failure: 'no_account' | 'account_not_found' }

type Rule = Pick<Settings, 'selectAccount' | 'requireAccount'>

/** Large pages where the rule may need every account of the member; Elastic Path's own where the first one will do. */
export function firstWindow(rule: Rule, accountId: string | undefined): PageWindow | undefined {
  return accountId !== undefined || typeof rule.selectAccount === 'function'
    ? { limit: MAX_PAGE, offset: 0 }
    : undefined
}

/** What comes of a member of no account. */
export function selectNone(rule: Rule, accountId: string | undefined): Selection {
  if (accountId !== undefined) return { failure: 'account_not_found' }
  return rule.requireAccount ? { failure: 'no_account' } : { account: undefined }
}

/** Applies the rule: the account asked for, else the one that the option selectAccount says. */
export async function selectAccount(
  rule: Rule,
  request: { req: Request; accountId: string | undefined; operation: Operation },
  first: TokenPage,
  read: PageReader,
): Promise<Selection> {
  const [firstAccount] = first.tokens
  if (request.accountId !== undefined) return found(await findAccount(first, read, request.accountId))
  if (rule.selectAccount === 'first') return { account: firstAccount }
  if (rule.selectAccount === 'sole') return { account: first.total === 1 ? firstAccount : undefined }

  const listed = await listAll(first, read)
  const choice = rule.selectAccount(
    listed.map(({ summary }) => summary),
    request.req,
  )
  const id: unknown = await request.operation.raceApp('selectAccount', choice)
  if (id === undefined) return { account: undefined }
  if (typeof id !== 'string')
    throw new TypeError('selectAccount must answer with the id of an account, or undefined')
  const chosen = listed.find(({ summary }) => summary.id === id)
  if (!chosen) return { failure: 'account_not_found' }
  const page = chosen.offset === 0 ? first : await read({ limit: first.tokens.length, offset: chosen.offset })
  return found(page.tokens.find((account) => account.id === id))
}

/** All accounts in Elastic Path's order, without their tokens, which can be many megabytes. */
async function listAll(
  first: TokenPage,
  read: PageReader,
): Promise<{ summary: AccountSummary; offset: number }[]> {
  const pages = [{ page: first.tokens.map(summarize), offset: 0 }]
  await visitFurtherPages(first, read, (page, offset) => {
    pages.push({ page: page.tokens.map(summarize), offset })
    return false
  })
  pages.sort((a, b) => a.offset - b.offset)
  return pages.flatMap(({ page, offset }) => page.map((summary) => ({ summary, offset })))
}

function found(account: AccountToken | undefined): Selection {
  return account ? { account } : { failure: 'account_not_found' }
}
