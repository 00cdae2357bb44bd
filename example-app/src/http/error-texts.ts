export interface ErrorText {
  title: string
  text: string
  action: { label: string; href: string }
}

/** Stands for the page that failed. */
export const SAME_PAGE = ''

const shop = { label: 'Continue shopping', href: '/' }
const outage: ErrorText = {
  title: 'The store isn’t responding',
  text: 'Something is wrong on our side. Try again in a minute.',
  action: { label: 'Try again', href: SAME_PAGE },
}
const ourFault: ErrorText = {
  title: 'Something went wrong',
  text: 'Something is wrong on our side. Try again in a few minutes.',
  action: shop,
}
const badRequest: ErrorText = {
  title: 'Something’s missing',
  text: 'We couldn’t read that request. Go back and try again.',
  action: shop,
}
const BY_STATUS: Record<number, ErrorText> = {
  401: {
    title: 'You’re signed out',
    text: 'Your sign-in has ended, or you signed out in another tab.',
    action: { label: 'Sign in', href: '/login' },
  },
  404: {
    title: 'Page not found',
    text: 'The address may be mistyped, or the page may have moved.',
    action: shop,
  },
  413: { title: 'That’s too much text', text: 'Shorten what you entered, and try again.', action: shop },
  429: { title: 'Too many attempts', text: 'We limit attempts to keep accounts safe.', action: shop },
  502: outage,
  503: outage,
  504: outage,
}
const BY_CODE: Record<string, ErrorText> = {
  form_expired: {
    title: 'This page has expired',
    text: 'You may have signed in or out in another tab. Nothing was changed. If you see this again, allow cookies for this shop.',
    action: shop,
  },
  product_not_found: {
    title: 'Product not available',
    text: 'This product isn’t available any more. Your basket hasn’t changed.',
    action: shop,
  },
  account_not_found: {
    title: 'You can’t buy for this company',
    text: 'You may have been removed from it. Nothing was changed.',
    action: { label: 'Choose a company', href: '/accounts' },
  },
}

export function errorText(status: number, code: unknown): ErrorText {
  const byCode = typeof code === 'string' && Object.hasOwn(BY_CODE, code) ? BY_CODE[code] : undefined
  return byCode ?? BY_STATUS[status] ?? (status >= 500 ? ourFault : badRequest)
}
