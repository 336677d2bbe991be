// Notes what the dashboard drew, and when it was on the screen: the beginning of the animation frame after it.
// Run before the page's own scripts.
(() => {
    const request = window.requestAnimationFrame.bind(window);
    const begins = (now) => (performance.timeOrigin + now) * 1000;
    let drawnTo = null;
    window.drawn = [];
    window.nFrames = 0;

    window.requestAnimationFrame = (callback) =>
        request((now) => {
            drawnTo = new Set();
            try {
                callback(now);
            } finally {
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
            }
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
