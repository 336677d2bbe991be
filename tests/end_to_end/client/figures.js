// Lets our client and other people's do the same work in one page. Sets `window.bench`.

const TOPIC = 'rootzone/north-beds/probe-12/moisture';
const PAYLOAD = '0123456789abcdef0123456789abcde';
const PACKETS_IN_FRAME = 32;
// So many that MQTT.js, which goes on by timers after each turn, loses little by them.
const PUBLICATIONS_IN_TURN = 8192;

// A PUBLISH of 5.0 without properties, QoS 0: 73 bytes.
const packet = (() => {
    const text = new TextEncoder();
    const topic = text.encode(TOPIC);
    const body = [topic.length >> 8, topic.length & 255, ...topic, 0, ...text.encode(PAYLOAD)];
    return new Uint8Array([0x30, body.length, ...body]);
})();

if (packet.length !== 73) throw new Error(`the packet has ${packet.length} bytes`);

const frame = new Uint8Array(packet.length * PACKETS_IN_FRAME);
for (let n = 0; n < PACKETS_IN_FRAME; n++) frame.set(packet, n * packet.length);

const RealSocket = window.WebSocket;

// Without Subscription Identifiers, so that both get the same frames.
const CONNACK = new Uint8Array([0x20, 5, 0, 0, 2, 0x29, 0]);

// A socket with a Server behind it that accepts everything. What is sent is copied, as a socket would.
class FakeSocket extends EventTarget {
    static CONNECTING = 0;
    static OPEN = 1;
    static CLOSING = 2;
    static CLOSED = 3;
    static newest = null;

    OPEN = 1;
    readyState = 0;
    protocol = 'mqtt';
    bufferedAmount = 0;
    binaryType = 'blob';
    nBytes = 0;
    isServed = true;

    constructor() {
        super();
        FakeSocket.newest = this;
        setTimeout(() => {
            this.readyState = 1;
            this.dispatchEvent(new Event('open'));
        });
        for (const type of ['open', 'message', 'close', 'error']) {
            let listener = null;
            Object.defineProperty(this, 'on' + type, {
                get: () => listener,
                set: (next) => {
                    if (listener) this.removeEventListener(type, listener);
                    listener = next;
                    if (listener) this.addEventListener(type, listener);
                },
            });
        }
    }

    send(data) {
        const bytes = new Uint8Array(data.byteLength);
        bytes.set(ArrayBuffer.isView(data) ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength) : new Uint8Array(data));
        this.nBytes += bytes.length;
        if (this.isServed) this.serve(bytes);
    }

    // Packets of the start are short, and each begins a call of `send`.
    serve(bytes) {
        if (bytes[0] === 0x10) setTimeout(() => this.deliver(CONNACK.slice().buffer));
        if (bytes[0] === 0x82) setTimeout(() => this.deliver(new Uint8Array([0x90, 4, bytes[2], bytes[3], 0, 0]).buffer));
    }

    deliver(buffer) {
        this.dispatchEvent(new MessageEvent('message', { data: buffer }));
    }

    close() {
        this.readyState = 3;
        this.dispatchEvent(new Event('close'));
    }
}

// The next task of the event loop, without the delay of a timer.
const channel = new MessageChannel();
const nextTask = () =>
    new Promise((resolve) => {
        channel.port1.onmessage = resolve;
        channel.port2.postMessage(null);
    });

const applications = {
    async rootzone(url, filter) {
        const reader = await client.Reader.open(url, filter);
        return {
            count: () => reader.n_messages(),
            bytes: () => reader.n_bytes(),
            publish: (nTurns, nEach) => reader.publish(TOPIC, new TextEncoder().encode(PAYLOAD), nTurns, nEach),
            close: () => reader.free(),
        };
    },

    async 'mqtt.js'(url, filter) {
        const theirs = mqtt.connect(url, { protocolVersion: 5, timerVariant: 'native', reconnectPeriod: 0 });
        let count = 0;
        let bytes = 0;
        theirs.on('message', (_topic, payload) => {
            count += 1;
            bytes += payload.length;
        });
        await new Promise((resolve, reject) => {
            theirs.on('connect', resolve);
            theirs.on('error', reject);
        });
        await theirs.subscribeAsync(filter);
        const payload = mqttPacket.Buffer.from(PAYLOAD);
        return {
            count: () => count,
            bytes: () => bytes,
            async publish(nTurns, nEach) {
                for (let turn = 0; turn < nTurns; turn++) {
                    for (let n = 1; n < nEach; n++) theirs.publish(TOPIC, payload);
                    await new Promise((resolve) => theirs.publish(TOPIC, payload, {}, resolve));
                }
            },
            close: () => theirs.endAsync(true),
        };
    },
};

const perSecond = (n, start) => (n * 1000) / (performance.now() - start);

async function withFakeSocket(program, act) {
    window.WebSocket = FakeSocket;
    try {
        const application = await applications[program]('ws://fake/mqtt', TOPIC);
        const socket = FakeSocket.newest;
        socket.isServed = false;
        const figure = await act(application, socket);
        await application.close();
        return figure;
    } finally {
        window.WebSocket = RealSocket;
    }
}

window.bench = {
    async 'decode-publish-73'(program, nPackets) {
        let nBytes = 0;
        let decode;
        if (program === 'rootzone') {
            const decoder = new client.FrameDecoder();
            decode = () => (nBytes += decoder.decode(frame));
        } else {
            const parser = mqttPacket.parser({ protocolVersion: 5 });
            const buffer = mqttPacket.Buffer.from(frame.buffer);
            parser.on('packet', (packet) => (nBytes += packet.payload.length));
            decode = () => parser.parse(buffer);
        }
        const nFrames = nPackets / PACKETS_IN_FRAME;
        const start = performance.now();
        for (let n = 0; n < nFrames; n++) decode();
        const figure = perSecond(nFrames * PACKETS_IN_FRAME, start);
        if (nBytes !== nFrames * PACKETS_IN_FRAME * PAYLOAD.length) throw new Error(`${nBytes} bytes came`);
        return figure;
    },

    'publish-qos0': (program, nPackets) =>
        withFakeSocket(program, async (application, socket) => {
            socket.nBytes = 0;
            const start = performance.now();
            const nTurns = Math.ceil(nPackets / PUBLICATIONS_IN_TURN);
            await application.publish(nTurns, PUBLICATIONS_IN_TURN);
            const nPublications = nTurns * PUBLICATIONS_IN_TURN;
            while (socket.nBytes < nPublications * packet.length) await nextTask();
            return perSecond(nPublications, start);
        }),

    // Several frames in one task, as a browser hands over what has gathered; between them what is pending runs.
    'receive-qos0': (program, nPackets) =>
        withFakeSocket(program, async (application, socket) => {
            const nFrames = nPackets / PACKETS_IN_FRAME;
            const start = performance.now();
            for (let n = 1; n <= nFrames; n++) {
                socket.deliver(frame.slice().buffer);
                await null;
                if (n % 8 === 0) await nextTask();
            }
            while (application.count() < nFrames * PACKETS_IN_FRAME) await nextTask();
            const figure = perSecond(nFrames * PACKETS_IN_FRAME, start);
            if (application.bytes() !== nFrames * PACKETS_IN_FRAME * PAYLOAD.length) {
                throw new Error(`${application.bytes()} bytes came`);
            }
            return figure;
        }),

    // From a real broker: from the first message to the last of so many.
    async listen(program, url, filter, nPackets) {
        const application = await applications[program](url, filter);
        window.heard = (async () => {
            while (application.count() === 0) await new Promise((resolve) => setTimeout(resolve));
            const [start, nBefore] = [performance.now(), application.count()];
            while (application.count() < nPackets) await new Promise((resolve) => setTimeout(resolve));
            const figure = perSecond(nPackets - nBefore, start);
            await application.close();
            return figure;
        })();
    },
};
