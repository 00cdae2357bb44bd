import type { Request } from 'express'
import { findAccount, summarize, visitFurtherPages, type PageReader } from '../commerce/account-tokens'
import { MAX_PAGE, type PageWindow, type TokenPage } from '../commerce/token-page'
import type { Context } from '../context'
import type { Settings } from '../options'
import type { AccountSummary, AccountToken } from '../token'

/** The account of a sign-in. It is undefined if the member has none, or if the shopper is to choose one later. */
export type AccountChoice =
  { account: AccountToken | undefined } | { failure: 'no_account' | 'account_not_found' }

type Rule = Pick<Settings, 'selectAccount' | 'requireAccount'>

/** Large pages if every account may be needed; Elastic Path's default page if the first account is enough. */
export function firstPageWindow(rule: Rule, accountId: string | undefined): PageWindow | undefined {
  return accountId !== undefined || typeof rule.selectAccount === 'function'
    ? { limit: MAX_PAGE, offset: 0 }
    : undefined
}

/** The result for a member of no account. */
export function chooseNone(rule: Rule, accountId: string | undefined): AccountChoice {
  if (accountId !== undefined) return { failure: 'account_not_found' }
  return rule.requireAccount ? { failure: 'no_account' } : { account: undefined }
}

/** Chooses the requested account, or else the one that the option `selectAccount` says. */
export function chooseAccount(
  rule: Rule,
  { req, accountId, context }: { req: Request; accountId: string | undefined; context: Context },
  first: TokenPage,
  read: PageReader,
): AccountChoice | Promise<AccountChoice> {
  const [firstAccount] = first.tokens
  if (accountId !== undefined) return findAccount(first, read, accountId).then(found)
  const { selectAccount } = rule
  if (selectAccount === 'first') return { account: firstAccount }
  if (selectAccount === 'sole') return { account: first.total === 1 ? firstAccount : undefined }
  return letAppChoose(selectAccount, req, context, first, read)
}

async function letAppChoose(
  selectAccount: Exclude<Settings['selectAccount'], string>,
  req: Request,
  context: Context,
  first: TokenPage,
  read: PageReader,
): Promise<AccountChoice> {
  const listed = await listAll(first, read)
  const summaries = listed.map(({ summary }) => summary)
  const id: unknown = await context.callApp('selectAccount', () => selectAccount(summaries, req))
  if (id === undefined) return { account: undefined }
  if (typeof id !== 'string') {
    throw new TypeError(
      'PasswordlessOtpStrategy: selectAccount must return the id of an account, or undefined',
    )
  }
  const chosen = listed.find(({ summary }) => summary.id === id)
  if (!chosen) return { failure: 'account_not_found' }
  const page = chosen.offset === 0 ? first : await read({ limit: first.tokens.length, offset: chosen.offset })
  return found(page.tokens.find((account) => account.id === id))
}

/** All accounts in Elastic Path's order, without their tokens, which can take many megabytes. */
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

function found(account: AccountToken | undefined): AccountChoice {
  return account ? { account } : { failure: 'account_not_found' }
}
