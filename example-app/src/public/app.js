// Everything works without this file; with it, a few things work better.

const each = (selector, act, root = document) => root.querySelectorAll(selector).forEach(act)

// The mail's link carries address and code behind the `#`, where no server and no Referer header sees them. They go
// into the form, and out of the address bar and the history; the shopper presses the button.
function useLink() {
  const given = new URLSearchParams(location.hash.slice(1))
  const username = given.get('username')
  const otp = given.get('otp')
  if (!username || !otp) return
  history.replaceState(null, '', location.pathname)
  each('[data-link]', (form) => {
    form.elements.username.value = username
    form.elements.otp.value = otp
    each('[data-without-link]', (part) => (part.hidden = true))
    each('[data-with-link]', (part) => {
      // In full: whoever was sent somebody else's link sees it here.
      part.querySelector('strong').textContent = username
      part.hidden = false
    })
    form.querySelector('button').focus()
  })
}
if (location.pathname === '/login/link') {
  useLink()
  window.addEventListener('hashchange', useLink)
}

// A pasted code often brings spaces along.
each('input[name=otp]', (input) => {
  input.addEventListener('input', () => {
    const bare = input.value.replace(/\s/g, '')
    if (bare !== input.value) input.value = bare
  })
  input.select()
})

// Counts by the time that has passed here, whatever the two clocks say.
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
    else text.textContent = 'That code is too old by now: ask for a new one below.'
  })
})

// A second tap is not a second request. A page that comes back, or whose request went nowhere, can be used again.
const release = () => each('form[aria-busy]', (form) => (form.ariaBusy = null))
document.addEventListener('submit', (event) => {
  if (event.target.ariaBusy) event.preventDefault()
  event.target.ariaBusy = 'true'
  setTimeout(release, 10_000)
})
window.addEventListener('pageshow', release)

// Search while typing: the results of the server's own page, without leaving this one.
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
        if (!response.ok || response.redirected) throw new Error('The search needs a page of its own')
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
