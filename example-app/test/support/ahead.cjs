// Preloaded into a shop whose clock is three seconds ahead.
const now = Date.now
Date.now = () => now() + 3_000
