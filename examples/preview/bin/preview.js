/* The app: for pull request N a stack with its image repository, and one with
 * everything that runs. */
'use strict';

const { App } = require('aws-cdk-lib');
const { Images } = require('../lib/images');
const { Preview } = require('../lib/preview');
const { tag } = require('../lib/tags');

const app = new App();
const context = (key) => app.node.tryGetContext(key);
const number = String(context('prNumber'));
const env = {
	account: process.env.CDK_DEFAULT_ACCOUNT,
	region: process.env.CDK_DEFAULT_REGION,
};

const images = new Images(app, `AppPr${number}Images`, { env, number });
const preview = new Preview(app, `AppPr${number}`, {
	env,
	number,
	repository: images.repository,
	imageTag: context('imageTag') || `pr-${number}`,
	desiredCount: Number(context('desiredCount')),
	zone: { hostedZoneId: context('zoneId'), zoneName: context('zoneName') },
	environment: context('environment') || {},
});

for (const stack of [images, preview])
	tag(stack, { number, created: context('createdDate') });
