// Publishes one number after the other at QoS 2, and goes on where the load of the page before this one stopped;
// and pump commands, which are worth something at once or never.
const [url] = arguments;
window.acknowledged = [];
window.failures = [];
window.isEnough = false;
const UNACKNOWLEDGED_MAX = 32;
let nUnacknowledged = 0;

// What is certainly stored, whatever becomes of the page: when a transaction has completed, at least what was
// published before the one before it began.
let published = -1;
let publishedBefore = -1;
let stored = -1;
const begin = IDBDatabase.prototype.transaction;
IDBDatabase.prototype.transaction = function (...settings) {
    const transaction = begin.apply(this, settings);
    if (settings[1] === 'readwrite') {
        const number = publishedBefore;
        publishedBefore = published;
        transaction.addEventListener('complete', () => {
            stored = Math.max(stored, number);
        });
    }
    return transaction;
};

const publish = () => {
    if (isEnough || nUnacknowledged >= UNACKNOWLEDGED_MAX) return;
    const number = Number(localStorage.next ?? 0);
    localStorage.next = number + 1;
    nUnacknowledged += 1;
    published = number;
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
        localStorage.loads = `${localStorage.loads ?? ''} ${first} ${Math.max(first, stored + 1)}`;
    });
    window.first = first;
    setInterval(publish, 5);
    setInterval(command, 40);
});
return true;
