// A process that stands before the store, so that it can die: forwards what it gets, until it is told to hold it.
const net = require('node:net')
const [port, target] = process.argv.slice(2).map(Number)
let holds = false

const server = net.createServer((socket) => {
  const onward = net.connect(target, '127.0.0.1')
  onward.on('error', () => socket.destroy())
  socket.on('error', () => onward.destroy())
  socket.on('close', () => onward.destroy())
  socket.on('data', (chunk) => {
    if (holds) process.send('held')
    else onward.write(chunk)
  })
  onward.pipe(socket)
})
process.on('message', () => {
  holds = true
  process.send('holding')
})
process.on('disconnect', () => process.exit())
server.listen(port, '127.0.0.1', () => process.send(server.address().port))
