const SHOWN_MS = 2000;

/** Makes all copy buttons below an element work, including those added later. */
export function copyButtons(root: Element, announce: (text: string) => void): void {
  root.addEventListener('click', (event) => {
    const button = event.target instanceof Element ? event.target.closest('button[data-copy]') : null;
    const source = document.getElementById(button?.getAttribute('data-copy') ?? '');
    if (button === null || source === null) return;
    void copy(source).then((copied) => {
      button.textContent = copied ? 'Copied' : 'Press Ctrl+C';
      button.setAttribute('data-said', '');
      const what = button.getAttribute('aria-label')?.replace(/^Copy /, '') ?? 'the text';
      announce(copied ? `Copied ${what}.` : `Selected ${what}. Press Ctrl+C to copy it.`);
      setTimeout(() => {
        button.textContent = 'Copy';
        button.removeAttribute('data-said');
      }, SHOWN_MS);
    });
  });
}

async function copy(source: HTMLElement): Promise<boolean> {
  try {
    // Available only over HTTPS and on localhost.
    await navigator.clipboard.writeText(source.textContent);
    return true;
  } catch {
    getSelection()?.selectAllChildren(source);
    // oxlint-disable-next-line typescript/no-deprecated -- the one way over plain HTTP, where most services are
    return document.execCommand('copy');
  }
}
