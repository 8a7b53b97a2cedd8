/* What every resource of a preview is tagged with, so that costs can be told
 * and what has expired can be found. */
'use strict';

const { Tags } = require('aws-cdk-lib');

const LIFE_DAYS = 7;

function day(date) {
	return date.toISOString().slice(0, 10);
}

function tag(scope, { number, created }) {
	const born = created ? new Date(`${created}T00:00:00Z`) : new Date();
	const expiry = new Date(born.getTime() + LIFE_DAYS * 86400000);
	const tags = {
		Project: 'app',
		Environment: `pr-${number}`,
		EnvironmentType: 'preview',
		Component: 'api',
		Purpose: 'pull request preview',
		CostCenter: 'engineering',
		Owner: 'platform',
		ManagedBy: 'cdk',
		CreatedBy: 'pipeline',
		CreatedDate: day(born),
		AutoShutdown: 'true',
		PRNumber: number,
		ExpiryDate: day(expiry),
	};

	for (const [key, value] of Object.entries(tags))
		Tags.of(scope).add(key, value);
}

module.exports = { tag };
