const MINUTE = 60_000
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

/** Milliseconds after which the sign-in of a member who does not visit ends, and an unused basket of a guest too. */
export const IDLE_LIFETIME = DAY
/** Milliseconds between two notes of a member's visits. */
export const VISIT_PRECISION = 10 * MINUTE
/** Milliseconds after which an unused session of a guest without a basket expires. */
export const GUEST_LIFETIME = 15 * MINUTE
/**
 * Milliseconds after which a member has to sign in again, even if they visit every day. Their session is
 * kept as long, so that the sign-in page can say which sign-in has ended.
 */
export const SIGN_IN_LIFETIME = 7 * DAY
/** Milliseconds for which the id of an ended session is remembered: longer than any request takes. */
export const ENDED_MEMORY = HOUR
/** Milliseconds that browsers keep the session cookie. The store ends sessions, so this is longer than all of them. */
export const COOKIE_LIFETIME = 30 * DAY
