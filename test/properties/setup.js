module.exports = require('./total').setup
