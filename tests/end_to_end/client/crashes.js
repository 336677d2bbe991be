// Publishes one number after the other at QoS 2, and goes on where the load of the page before this one stopped;
// and pump commands, which are worth something at once or never.
const [url] = arguments;
window.acknowledged = [];
window.failures = [];
window.isEnough = false;
const UNACKNOWLEDGED_MAX = 32;
// By then what was published is stored, whatever becomes of the page.
const STORED_AFTER_MS = 500;
const published = [];
let nUnacknowledged = 0;

const publish = () => {
    if (isEnough || nUnacknowledged >= UNACKNOWLEDGED_MAX) return;
    const number = Number(localStorage.next ?? 0);
    localStorage.next = number + 1;
    nUnacknowledged += 1;
    published.push({ number, at: performance.now() });
    mqttClient.publish('crash/number', bytes(String(number)), 2, true).then(
        () => {
            acknowledged.push(number);
            nUnacknowledged -= 1;
        },
        (error) => failures.push(`${number}: ${error}`),
    );
};
// That there is no connection is an answer too.
const command = () => mqttClient.publish('crash/pump', bytes(String(Date.now())), 1, false).catch(() => {});

connect(url, true, 'crash-', '', '').then(() => {
    const first = Number(localStorage.next ?? 0);
    window.addEventListener('pagehide', () => {
        const owed = published.filter(({ at }) => performance.now() - at > STORED_AFTER_MS);
        const end = owed.length > 0 ? owed.at(-1).number + 1 : first;
        localStorage.loads = `${localStorage.loads ?? ''} ${first} ${end}`;
    });
    window.first = first;
    setInterval(publish, 5);
    setInterval(command, 40);
});
return true;
