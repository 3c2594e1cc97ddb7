import assert from 'node:assert/strict';
import { connect } from 'node:http2';

/** Asserts that another client is served over both protocols. */
export async function assertServes(port: number): Promise<void> {
  const url = `http://127.0.0.1:${port}`;
  const response = await fetch(`${url}/health`, { headers: { connection: 'close' } });
  await response.arrayBuffer();
  assert.equal(response.status, 200);
  assert.equal(await http2Status(url, '/health'), 200);
}

function http2Status(url: string, path: string): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const session = connect(url);
    session.on('error', reject);
    const request = session.request({ ':path': path });
    let status: unknown;
    request.on('error', reject);
    request.on('response', (headers) => {
      status = headers[':status'];
    });
    request.on('end', () => {
      session.close(() => resolve(status));
    });
    request.resume();
  });
}
