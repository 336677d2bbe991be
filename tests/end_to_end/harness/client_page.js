// What the tests do with the client and see of it.
window.events = [];
window.messages = [];
const note = (event) => events.push([performance.now(), event]);
document.addEventListener('visibilitychange', () => note(document.visibilityState));
for (const type of ['freeze', 'resume']) document.addEventListener(type, () => note(type));
for (const type of ['offline', 'online']) window.addEventListener(type, () => note(type));
window.addEventListener('pageshow', (event) => note(event.persisted ? 'restored' : 'loaded'));
window.connect = async (url, is5, sessionPrefix, userName, password) => {
    const decoder = new TextDecoder();
    events.length = 0;
    window.mqttClient = await client.PageClient.open(
        url,
        is5,
        sessionPrefix,
        userName,
        password,
        note,
        (topic, payload, qos, retain) => messages.push({ topic, payload: decoder.decode(payload), qos, retain }),
    );
};
window.settle = (promise, done) =>
    promise.then(
        (value) => done({ value: value ?? null }),
        (error) => done({ error: String(error) }),
    );
window.bytes = (text) => new TextEncoder().encode(text);
return true;
