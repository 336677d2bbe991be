// MQTT.js, which exchanges messages with a broker and prints what it saw.
//
//     mqtt_js_client.js PORT tcp|websockets 4|5

'use strict';

const mqtt = require('mqtt');

const [PORT, TRANSPORT, VERSION] = [Number(process.argv[2]), process.argv[3], Number(process.argv[4])];
const PATIENCE_MS = 30000;

/** What came, to be waited for one after the other. */
class Queue {
  #waiting = [];
  #here = [];

  put(value) {
    const waiting = this.#waiting.shift();
    if (waiting) waiting(value);
    else this.#here.push(value);
  }

  take() {
    if (this.#here.length > 0) return Promise.resolve(this.#here.shift());
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error('nothing came')), PATIENCE_MS);
      this.#waiting.push((value) => {
        clearTimeout(timer);
        resolve(value);
      });
    });
  }
}

class Client {
  messages = new Queue();
  subacks = new Queue();
  unsubacks = new Queue();

  static async connect(clientId, { clean = true, will, ...properties } = {}) {
    const self = new Client();
    self.client = mqtt.connect({
      protocol: TRANSPORT === 'tcp' ? 'mqtt' : 'ws',
      host: '127.0.0.1',
      port: PORT,
      path: '/mqtt',
      protocolVersion: VERSION,
      clientId,
      clean,
      reconnectPeriod: 0,
      ...(will ? { will: { topic: will, payload: 'gone', qos: 1 } } : {}),
      ...(VERSION === 5 ? { properties } : {}),
    });
    self.client.on('message', (topic, payload, packet) => self.messages.put(packet));
    self.client.on('packetreceive', (packet) => {
      if (packet.cmd === 'suback') self.subacks.put(packet.granted.join(' '));
      if (packet.cmd === 'unsuback') self.unsubacks.put((packet.granted ?? []).join(' '));
    });
    self.connack = await new Promise((resolve, reject) => {
      self.client.once('connect', resolve);
      self.client.once('error', reject);
    });
    return self;
  }

  async subscribe(filter, qos, properties) {
    // Its own answer is an error where the Server's has a Reason Code.
    this.client.subscribe(filter, { qos, ...(properties ? { properties } : {}) }, () => {});
    return this.subacks.take();
  }

  async unsubscribe(filter) {
    this.client.unsubscribe(filter, () => {});
    return this.unsubacks.take();
  }

  publish(topic, payload, qos = 0, { retain = false, ...properties } = {}) {
    return this.client.publishAsync(topic, payload, {
      qos,
      retain,
      ...(Object.keys(properties).length > 0 ? { properties } : {}),
    });
  }

  async payloads(number) {
    const payloads = [];
    for (let i = 0; i < number; i++) payloads.push((await this.messages.take()).payload.toString());
    return payloads.join(' ');
  }

  disconnect(properties) {
    return this.client.endAsync(false, properties ? { properties } : {});
  }

  /** As when its network is gone: without a word to the Server. */
  vanish() {
    this.client.stream.destroy();
  }
}

function say(what, value) {
  console.log(`${what}: ${value}`);
}

/** As Python writes it. */
function claim(value) {
  return value ? 'True' : 'False';
}

async function everyVersion() {
  const here = await Client.connect('here');
  const there = await Client.connect('there');
  await here.subscribe('qos/#', 2);
  for (const [qos, payload] of ['zero', 'one', 'two'].entries()) {
    await there.publish(`qos/${qos}`, payload, qos);
    const message = await here.messages.take();
    say('message', `${message.topic} ${message.qos} ${message.payload}`);
  }
  await there.publish('qos/large', Buffer.alloc(3_000_000, 'x'), 2);
  say('large', (await here.messages.take()).payload.length);

  await there.publish('retained', 'kept', 1, { retain: true });
  await here.subscribe('retained', 1);
  const message = await here.messages.take();
  say('retained', `${message.payload} ${message.qos} ${claim(message.retain)}`);
  await there.publish('retained', '', 1, { retain: true });
  say('cleared', `${(await here.messages.take()).payload.length} bytes`);
  await here.subscribe('retained', 1);
  await there.publish('retained', 'live', 1);
  say('after clearing', await here.payloads(1));

  await here.subscribe('will', 1);
  const lost = await Client.connect('lost', { will: 'will' });
  lost.vanish();
  say('will', await here.payloads(1));
  const polite = await Client.connect('polite', { will: 'will' });
  await polite.disconnect();
  await there.publish('will', 'nothing else', 1);
  say('will of who says goodbye', await here.payloads(1));

  const lasting = { clean: false, ...(VERSION === 5 ? { sessionExpiryInterval: 60 } : {}) };
  let sleeper = await Client.connect('sleeper', lasting);
  say('session present', claim(sleeper.connack.sessionPresent));
  await sleeper.subscribe('queue', 2);
  await sleeper.disconnect();
  for (const [qos, payload] of [[1, 'first'], [1, 'second'], [2, 'third']]) {
    await there.publish('queue', payload, qos);
  }
  sleeper = await Client.connect('sleeper', lasting);
  say('session present', claim(sleeper.connack.sessionPresent));
  say('queued', await sleeper.payloads(3));
  await sleeper.disconnect();
  sleeper = await Client.connect('sleeper');
  say('session present after a clean start', claim(sleeper.connack.sessionPresent));
}

async function only5() {
  const here = await Client.connect('here');
  const there = await Client.connect('there');
  await here.subscribe('properties', 1);
  await there.publish('properties', 'x', 1, {
    userProperties: { z: ['1', '2'], a: '3' },
    messageExpiryInterval: 60,
    contentType: 'text/plain',
    payloadFormatIndicator: true,
  });
  const seen = (await here.messages.take()).properties;
  const pairs = Object.entries(seen.userProperties).flatMap(([name, values]) =>
    [values].flat().map((value) => `${name}=${value}`));
  say('user properties', pairs.join(' '));
  say('expires in', seen.messageExpiryInterval);
  say('content', `${seen.contentType} ${Number(seen.payloadFormatIndicator)}`);

  await here.subscribe('question', 1);
  await there.subscribe('answer', 1);
  await there.publish('question', '?', 1, { responseTopic: 'answer', correlationData: Buffer.from('42') });
  const asked = (await here.messages.take()).properties;
  await here.publish(asked.responseTopic, '!', 1, { correlationData: asked.correlationData });
  const answer = await there.messages.take();
  say('response', `${answer.payload} ${answer.properties.correlationData}`);

  await here.subscribe('sent/#', 1);
  await there.publish('sent/by/alias', 'first', 1, { topicAlias: 1 });
  await there.publish('', 'second', 1, { topicAlias: 1 });
  const sent = [await here.messages.take(), await here.messages.take()];
  say('by an alias', sent.map((packet) => packet.topic).join(' '));
  const taker = await Client.connect('taker', { topicAliasMaximum: 5 });
  const received = [];
  taker.client.on('message', (topic) => received.push(topic));
  await taker.subscribe('received/by/alias', 0);
  for (let i = 0; i < 2; i++) await there.publish('received/by/alias', 'x');
  await taker.payloads(2);
  say('to an alias', received.join(' '));

  await here.subscribe('identified/+', 1, { subscriptionIdentifier: 7 });
  await here.subscribe('identified/#', 1, { subscriptionIdentifier: 8 });
  await there.publish('identified/x', 'x', 1);
  const identifiers = (await here.messages.take()).properties.subscriptionIdentifier;
  say('subscription identifiers', [...identifiers].sort().join(' '));

  const members = [await Client.connect('member-1'), await Client.connect('member-2')];
  for (const member of members) await member.subscribe('$share/group/shared', 1);
  for (let n = 0; n < 4; n++) await there.publish('shared', String(n), 1);
  say('shared', [await members[0].payloads(2), await members[1].payloads(2)].sort().join(' and '));

  const narrow = await Client.connect('narrow', { receiveMaximum: 1 });
  await narrow.subscribe('narrow', 1);
  for (let n = 0; n < 10; n++) await there.publish('narrow', String(n), 1);
  say('one at a time', await narrow.payloads(10));
  say("broker's receive maximum", narrow.connack.properties.receiveMaximum);

  const nameless = await Client.connect('');
  say('assigned identifier', claim(nameless.connack.properties.assignedClientIdentifier.length > 8));

  for (const [interval, expected] of [[60, true], [0, false]]) {
    const lasting = { clean: false, sessionExpiryInterval: 60 };
    let present;
    // The Server may read the CONNECT of a new connection before the DISCONNECT of the old one.
    for (let attempt = 0; attempt < 5 && present !== expected; attempt++) {
      let sleeper = await Client.connect('sleeper', lasting);
      await sleeper.disconnect({ sessionExpiryInterval: interval });
      sleeper = await Client.connect('sleeper', lasting);
      present = sleeper.connack.sessionPresent;
      await sleeper.disconnect({ sessionExpiryInterval: 0 });
    }
    say(`session present after an expiry of ${interval}`, claim(present));
  }

  const deep = `${'a/'.repeat(128)}a`;
  say('suback', `${await here.subscribe('codes', 1)} ${await here.subscribe(deep, 1)}`);
  say('unsuback', `${await here.unsubscribe('codes')} ${await here.unsubscribe('never')}`);
}

async function run() {
  await everyVersion();
  if (VERSION === 5) await only5();
  say('done', VERSION);
}

run().then(() => process.exit(0), (error) => {
  console.error(error);
  process.exit(1);
});
