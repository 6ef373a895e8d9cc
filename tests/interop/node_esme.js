// An ESME that is not ours: node-smpp's client. Events go to stdout as JSON lines.
// Sends texts, answers what is brought, refuses the second, and unbinds when both have come.
const smpp = require(process.argv[2]);
const tell = (event) => process.stdout.write(JSON.stringify(event) + '\n');
const long = Buffer.from('长'.repeat(100), 'utf16le').swap16();
const texts = [
  {short_message: 'Hello [you]', data_coding: 0},
  {short_message: '@£$ ÄÖ €', data_coding: 0},
  {short_message: '事事有回音 👍'},
  {short_message: {udh: Buffer.from('0500032a0201', 'hex'), message: long.subarray(0, 134)}, data_coding: 8},
  {short_message: {udh: Buffer.from('0500032a0202', 'hex'), message: long.subarray(134)}, data_coding: 8},
  {short_message: '', message_payload: {message: 'x'.repeat(300)}, data_coding: 0},
];
const session = smpp.connect({host: '127.0.0.1', port: Number(process.argv[3])}, () => {
  session.bind_transceiver({system_id: 'node', password: 'secret'}, (bound) => {
    tell({event: 'bound', status: bound.command_status, version: bound.sc_interface_version});
    if (bound.command_status) return session.close();
    session.enquire_link({}, (answer) => tell({event: 'alive', status: answer.command_status}));
    texts.forEach((fields, number) => session.submit_sm({
      source_addr: '10086001', destination_addr: '8613905310001', registered_delivery: 1,
      validity_period: '000001000000000R', user_message_reference: number, ...fields,
    }, (answer) => tell({event: 'answered', number, status: answer.command_status, id: answer.message_id})));
  });
});
let brought = 0;
session.on('deliver_sm', (pdu) => {
  tell({event: 'brought', text: String(pdu.short_message.message), id: pdu.receipted_message_id,
        state: pdu.message_state, own: pdu[0x1400] ? String(pdu[0x1400]) : null});
  session.send(pdu.response({command_status: brought ? smpp.ESME_RX_T_APPN : 0}));
  if (++brought === 2) session.unbind({}, (answer) => { tell({event: 'unbound', status: answer.command_status}); session.close(); });
});
session.on('enquire_link', (pdu) => { tell({event: 'asked'}); session.send(pdu.response()); });
session.on('unknown', (pdu) => session.send(pdu.response()));
session.on('error', (error) => tell({event: 'error', error: String(error)}));
session.on('close', () => process.exit(0));
