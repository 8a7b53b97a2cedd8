/*
 * The demo's application: a small JSON API on Node's own http module, with
 * the manners a container needs.  It is not ready at once, it writes one JSON
 * line per request, and SIGTERM ends it without losing a request.
 */
'use strict';

const fs = require('fs');
const http = require('http');
const os = require('os');

const version = fs.readFileSync(`${__dirname}/version`, 'utf8').trim();
const port = Number(process.env.PORT || 8080);
const startMs = Number(process.env.START_MS || 3000);
const address = Object.values(os.networkInterfaces()).flat()
	.find((i) => i.family === 'IPv4' && !i.internal)?.address;

const routes = new Map();
const app = {
	get: (path, handler) => routes.set(`GET ${path}`, handler),
};
let ready = false;
let stopping = false;

function log(line) {
	process.stdout.write(JSON.stringify(
		{ time: new Date().toISOString(), version, ...line }) + '\n');
}

function sendJson(res, status, body) {
	const text = JSON.stringify(body) + '\n';

	res.writeHead(status, {
		'Content-Type': 'application/json',
		'Content-Length': Buffer.byteLength(text),
		// A connection that outlives the request would keep us alive.
		...(stopping ? { Connection: 'close' } : {}),
	});
	res.end(text);
}

app.get('/', (req, res) => sendJson(res, 200, {
	message: 'Hello from a Neargate task.',
	try: [...routes.keys()].map((r) => r.split(' ')[1]),
}));

// What the load balancer and the container's health check ask.
app.get('/api/health', (req, res) => sendJson(res, ready ? 200 : 503,
	{ status: ready ? 'ok' : 'starting' }));

app.get('/api/version', (req, res) => sendJson(res, 200,
	{ version, address, host: os.hostname(), uid: process.getuid() }));

app.get('/api/slow', (req, res) => {
	const ms = Math.min(Number(req.query.get('ms')) || 1000, 30000);

	setTimeout(() => sendJson(res, 200, { waited: ms }), ms);
});

const server = http.createServer((req, res) => {
	const began = process.hrtime.bigint();
	const url = new URL(req.url, 'http://localhost');
	const handler = routes.get(`${req.method} ${url.pathname}`);

	res.on('finish', () => log({
		method: req.method,
		path: url.pathname,
		status: res.statusCode,
		ms: Number(process.hrtime.bigint() - began) / 1e6,
		client: req.headers['x-forwarded-for'] || req.socket.remoteAddress,
	}));
	req.query = url.searchParams;
	if (handler)
		handler(req, res);
	else
		sendJson(res, 404, { error: 'not found' });
});

// Longer than the load balancer keeps its side open, as AWS advises: else a
// request may meet a connection that is just being closed.
server.keepAliveTimeout = 75000;

server.listen(port, () => {
	log({ event: 'listening', port, address });
	setTimeout(() => {
		ready = true;
		log({ event: 'ready' });
	}, startMs);
});

process.on('SIGTERM', () => {
	stopping = true;
	log({ event: 'stopping' });
	server.close(() => log({ event: 'stopped' }));
	server.closeIdleConnections();
});
