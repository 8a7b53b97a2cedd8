/* The image repository of a preview: deployed first, since images are pushed
 * before anything can run them.  A tag is never overwritten. */
'use strict';

const { CfnOutput, Duration, RemovalPolicy, Stack } = require('aws-cdk-lib');
const ecr = require('aws-cdk-lib/aws-ecr');

class Images extends Stack {
	constructor(scope, id, { number, ...props }) {
		super(scope, id, props);
		this.repository = new ecr.Repository(this, 'Repository', {
			repositoryName: `app-pr-${number}`,
			imageTagMutability: ecr.TagMutability.IMMUTABLE,
			imageScanOnPush: false,
			emptyOnDelete: true,
			removalPolicy: RemovalPolicy.DESTROY,
			lifecycleRules: [{
				description: 'untagged images are left-overs',
				tagStatus: ecr.TagStatus.UNTAGGED,
				maxImageAge: Duration.days(1),
			}],
		});
		new CfnOutput(this, 'RepositoryUri', {
			value: this.repository.repositoryUri,
			exportName: `${id}-RepositoryUri`,
		});
	}
}

module.exports = { Images };
