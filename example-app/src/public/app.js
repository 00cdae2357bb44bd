// Everything works without this file. It makes a few things easier.

const each = (selector, act, root = document) => root.querySelectorAll(selector).forEach(act)

// The link in the email has address and code behind the `#`, where no server and no Referer header sees them. They are
// moved into the form, and out of the address bar and the history. The shopper presses the button.
function useLink() {
  const given = new URLSearchParams(location.hash.slice(1))
  const otp = given.get('otp')
  if (!otp) return
  history.replaceState(null, '', location.pathname)
  // Anybody can write a link. The page shows an address or one plain word, and no text of theirs.
  const shown = /^([^\s@\p{C}]+@[^\s@\p{C}]+|[a-z0-9_-]{1,32})$/iu
  const username = shown.test(given.get('username') ?? '') ? given.get('username') : ''
  const member = document.querySelector('[data-member]')?.textContent
  if (member !== undefined && (!username || username.toLowerCase() === member.toLowerCase())) {
    each('[data-switch]', (button) => (button.hidden = username !== ''))
    return
  }
  each('[data-link]', (form) => {
    // Signing in replaces the sign-in of somebody else, and takes nothing of theirs along.
    if (form.dataset.linkAction) form.action = form.dataset.linkAction
    fill(form.elements.otp, otp)
    // Shows that the link was in the mailbox. Without it, strangers can use up the attempts.
    if (given.get('proof')) fill(form.elements.proof, given.get('proof'))
    each('[data-without-link]', (part) => (part.hidden = true))
    if (username) {
      fill(form.elements.username, username)
      each('[data-without-username]', (part) => (part.hidden = true))
      // In full: whoever was sent somebody else's link sees it here.
      each('[data-username]', (part) => (part.textContent = username))
      each('[data-with-link]', (part) => (part.hidden = false))
    }
    each('[data-switch]', (button) => (button.hidden = false))
    const next = username ? form.querySelector('button') : form.elements.username
    next.focus()
  })
}

function fill(input, value) {
  input.value = value
  input.disabled = false
}

if (location.pathname === '/login/link') {
  useLink()
  window.addEventListener('hashchange', useLink)
}

// Pasted codes often contain spaces.
each('input[name=otp]', (input) => {
  input.addEventListener('input', () => {
    const bare = input.value.replace(/\s/g, '')
    if (bare !== input.value) input.value = bare
  })
  input.select()
})

// Counts the time that has passed in the browser, because its clock and the server's may differ.
function countDown(seconds, show) {
  const left = () => Math.max(0, Math.ceil((end - performance.now()) / 1000))
  const end = performance.now() + seconds * 1000
  const timer = setInterval(() => {
    show(left())
    if (left() === 0) clearInterval(timer)
  }, 1000)
  show(left())
}

each('[data-wait]', (button) => {
  const label = button.textContent
  countDown(Number(button.dataset.wait), (left) => {
    button.disabled = left > 0
    button.textContent = left > 0 ? `${label} in ${left} s` : label
  })
})

each('[data-left]', (text) => {
  countDown(Number(text.dataset.left), (left) => {
    if (left > 0) text.querySelector('b').textContent = String(Math.ceil(left / 60))
    else text.textContent = 'It has expired. Request a new one below.'
  })
})

// The server's time of day, in the shopper's time zone.
each('[data-clock]', (time) => {
  time.textContent = new Date(time.dateTime).toLocaleTimeString([], { hour: '2-digit', minute: '2-digit' })
})

// A second tap sends no second request. A page that is shown again, or whose request failed, can be used again.
const release = () => each('form[aria-busy]', (form) => (form.ariaBusy = null))
document.addEventListener('submit', (event) => {
  if (event.target.ariaBusy) event.preventDefault()
  event.target.ariaBusy = 'true'
  setTimeout(release, 10_000)
})
window.addEventListener('pageshow', release)

// Searches while the shopper types, and shows the results from the server's page.
each('[data-search]', (input) => {
  let pause, request
  input.addEventListener('input', () => {
    clearTimeout(pause)
    pause = setTimeout(async () => {
      request?.abort()
      request = new AbortController()
      const url = `${input.form.action}?${new URLSearchParams(new FormData(input.form))}`
      try {
        const response = await fetch(url, { signal: request.signal })
        if (!response.ok || response.redirected) throw new Error('The search needs the server’s page')
        const page = new DOMParser().parseFromString(await response.text(), 'text/html')
        document
          .querySelector(input.dataset.search)
          .replaceChildren(...page.querySelector(input.dataset.search).childNodes)
        history.replaceState(null, '', url)
      } catch (error) {
        if (error.name !== 'AbortError') input.form.requestSubmit()
      }
    }, 200)
  })
})
