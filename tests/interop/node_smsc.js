// An SMSC that is not ours: node-smpp's server. Events go to stdout as JSON lines, orders come in on stdin.
// A text that begins with "slow" is throttled the first two times; a number that ends in 9 is undeliverable.
const smpp = require(process.argv[2]);
const tell = (event) => process.stdout.write(JSON.stringify(event) + '\n');
const hex = (message) => Buffer.isBuffer(message) ? message.toString('hex') : Buffer.from(message || '').toString('hex');
let next = 0xabc000, throttled = 0, receiver = null;

const server = smpp.createServer({}, (session) => {
  session.on('error', () => {});
  session.on('bind_transceiver', (pdu) => {
    const ok = pdu.system_id === 'huiyin' && pdu.password === 'secret';
    tell({event: 'bind', ok, version: pdu.interface_version});
    if (!ok) return session.send(pdu.response({command_status: smpp.ESME_RINVPASWD}));
    session.send(pdu.response({system_id: 'node'}));
    receiver = session;
    session.enquire_link({}, (answer) => tell({event: 'alive', status: answer.command_status}));
  });
  session.on('enquire_link', (pdu) => { tell({event: 'asked'}); session.send(pdu.response()); });
  session.on('unbind', (pdu) => { tell({event: 'unbind'}); session.send(pdu.response()); session.close(); });
  session.on('submit_sm', (pdu) => {
    const {message, udh} = pdu.short_message;
    const text = String(message);
    if (text.startsWith('slow') && throttled++ < 2) {
      tell({event: 'throttled', text});
      return session.send(pdu.response({command_status: smpp.ESME_RTHROTTLED}));
    }
    const id = (next++).toString(16).toUpperCase();
    tell({event: 'submit', id, text, to: pdu.destination_addr, from: pdu.source_addr,
          coding: pdu.data_coding, udh: udh ? hex(Array.isArray(udh) ? Buffer.concat(udh) : udh) : null,
          validity: String(pdu.validity_period || ''), report: pdu.registered_delivery});
    session.send(pdu.response({message_id: id}));
    if (!pdu.registered_delivery) return;
    const stat = pdu.destination_addr.endsWith('9') ? 'UNDELIV' : 'DELIVRD';
    session.deliver_sm({
      source_addr: pdu.destination_addr, destination_addr: pdu.source_addr, esm_class: 4,
      short_message: `id:${id} sub:001 dlvrd:001 submit date:2611220900 done date:2611220901 stat:${stat} err:000 text:`,
    }, (answer) => tell({event: 'receipt-answered', id, status: answer.command_status}));
  });
});

require('readline').createInterface({input: process.stdin}).on('line', (line) => {
  const {from, to, parts} = JSON.parse(line);
  parts.forEach((part) => receiver.deliver_sm({
    source_addr: from, destination_addr: to, data_coding: 8, esm_class: part.udh ? 0x40 : 0,
    short_message: part.udh ? {udh: Buffer.from(part.udh, 'hex'), message: part.text} : part.text,
  }, (answer) => tell({event: 'mo-answered', status: answer.command_status})));
}).on('close', () => process.exit(0));

server.listen(0, '127.0.0.1', () => tell({event: 'listening', port: server.address().port}));
