// Notes what the dashboard drew, and when it was on the screen: the beginning of the animation frame after it.
// Run before the page's own scripts.
(() => {
    const request = window.requestAnimationFrame.bind(window);
    const begins = (now) => (performance.timeOrigin + now) * 1000;
    let drawnTo = null;
    window.drawn = [];
    window.nFrames = 0;

    // What is pending runs before the browser paints, and belongs to the frame too; each of it may bring about more.
    const afterPending = (act, rounds = 50) => (rounds === 0 ? act() : queueMicrotask(() => afterPending(act, rounds - 1)));

    const close = () => {
        const cards = [...drawnTo].filter((card) => card !== null);
        drawnTo = null;
        const shown = cards.map((card) => [
            card.querySelector('a').textContent,
            card.querySelector('.probe-card-value strong').textContent,
        ]);
        if (shown.length > 0) {
            request(() => {
                const end = begins(performance.now());
                for (const [probe, value] of shown) window.drawn.push([probe, value, end]);
            });
        }
    };

    window.requestAnimationFrame = (callback) =>
        request((now) => {
            drawnTo = new Set();
            afterPending(close);
            callback(now);
        });

    // Every chart begins with this.
    const clearRect = CanvasRenderingContext2D.prototype.clearRect;
    CanvasRenderingContext2D.prototype.clearRect = function (...rectangle) {
        drawnTo?.add(this.canvas.closest('.probe-card'));
        return clearRect.apply(this, rectangle);
    };

    const countFrame = () => {
        window.nFrames += 1;
        request(countFrame);
    };
    request(countFrame);
})();
