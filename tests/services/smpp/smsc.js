// A short message centre made of the npm package smpp, for tests: smsc.js NODE_MODULES. Prints one JSON object a line:
// {"port"} once it listens, then {"bind"}, {"submit"}, {"receipt_answer"}, {"reply_answer"}, {"unbind"}. It ends with
// its standard input.
//
// The person replies when the number ends in 1, in two segments when it ends in 2. One that ends in 8 is throttled once.
'use strict';
const path = require('path');
const smpp = require(path.join(process.argv[2], 'smpp'));

const say = (line) => process.stdout.write(JSON.stringify(line) + '\n');
let next = 1000;
const throttled = new Set();

function textOf(pdu) {
  const message = pdu.short_message && pdu.short_message.message;
  const text = pdu.message_payload !== undefined ? (pdu.message_payload.message || pdu.message_payload) : message;
  return Buffer.isBuffer(text) ? text.toString('hex') : text;
}

function reply(session, pdu, parts) {
  parts.forEach((text, i) => {
    const body = Buffer.from(text, 'utf16le').swap16();
    const header = Buffer.from([5, 0, 3, 77, parts.length, i + 1]);
    session.deliver_sm({
      source_addr: pdu.destination_addr, source_addr_ton: 1, source_addr_npi: 1, destination_addr: pdu.source_addr,
      esm_class: parts.length > 1 ? 0x40 : 0, data_coding: 8,
      short_message: parts.length > 1 ? Buffer.concat([header, body]) : body,
    }, (answer) => say({ reply_answer: answer.command_status }));
  });
}

const server = smpp.createServer((session) => {
  const binding = (pdu) => {
    const good = pdu.system_id === 'peer' && pdu.password === 'secret01';
    say({ bind: pdu.command, version: pdu.interface_version, status: good ? 0 : smpp.ESME_RINVPASWD });
    session.send(pdu.response(good ? { system_id: 'npm' } : { command_status: smpp.ESME_RINVPASWD }));
  };
  for (const command of ['bind_transceiver', 'bind_transmitter', 'bind_receiver']) session.on(command, binding);
  session.on('submit_sm', (pdu) => {
    const to = pdu.destination_addr;
    if (to.endsWith('8') && !throttled.has(to)) {
      throttled.add(to);
      return session.send(pdu.response({ command_status: smpp.ESME_RTHROTTLED }));
    }
    const id = 'N' + next++;
    const udh = pdu.short_message && pdu.short_message.udh;
    say({
      submit: id, from: pdu.source_addr, to, ton: pdu.dest_addr_ton, npi: pdu.dest_addr_npi, esm_class: pdu.esm_class,
      data_coding: pdu.data_coding, registered_delivery: pdu.registered_delivery, text: textOf(pdu),
      udh: udh ? udh.map((b) => b.toString('hex')) : [],
    });
    session.send(pdu.response({ message_id: id }));
    if (pdu.registered_delivery === 1) {
      session.deliver_sm({
        source_addr: to, destination_addr: pdu.source_addr, esm_class: 4,
        short_message: 'id:' + id + ' sub:001 dlvrd:001 submit date:2601151000 done date:2601151001 stat:DELIVRD ' +
          'err:000 text:',
        receipted_message_id: id, message_state: 2,
      }, (answer) => say({ receipt_answer: answer.command_status }));
    }
    if (to.endsWith('1')) reply(session, pdu, ['退订 TD']);
    if (to.endsWith('2')) reply(session, pdu, ['请问', '怎么领取']);
    return undefined;
  });
  session.on('enquire_link', (pdu) => session.send(pdu.response()));
  session.on('unbind', (pdu) => { say({ unbind: true }); session.send(pdu.response()); session.close(); });
  session.on('error', () => session.destroy());
});
server.listen(0, '127.0.0.1', () => say({ port: server.address().port }));
process.stdin.resume();
process.stdin.on('end', () => process.exit(0));
