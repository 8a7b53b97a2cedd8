/* What the preview does not have: an image asset, a file asset, a nested
 * stack. */
'use strict';

const path = require('path');
const { App, CfnOutput, NestedStack, RemovalPolicy, Stack } = require('aws-cdk-lib');
const ecrAssets = require('aws-cdk-lib/aws-ecr-assets');
const logs = require('aws-cdk-lib/aws-logs');
const s3Assets = require('aws-cdk-lib/aws-s3-assets');

class Child extends NestedStack {
	constructor(scope, id, { name }) {
		super(scope, id);
		this.group = new logs.LogGroup(this, 'Group', {
			logGroupName: `/nested/${name}`,
			retention: Number(this.node.tryGetContext('retention') || 7),
			removalPolicy: RemovalPolicy.DESTROY,
		});
	}
}

class Assets extends Stack {
	constructor(scope, id) {
		super(scope, id);
		const image = new ecrAssets.DockerImageAsset(this, 'Image',
			{ directory: path.join(__dirname, 'image') });
		const file = new s3Assets.Asset(this, 'File',
			{ path: path.join(__dirname, 'image', 'hello.txt') });
		const child = new Child(this, 'Child', { name: this.stackName });

		new CfnOutput(this, 'ImageUri', { value: image.imageUri });
		new CfnOutput(this, 'FileUrl', { value: file.s3ObjectUrl });
		new CfnOutput(this, 'GroupName', { value: child.group.logGroupName });
	}
}

new Assets(new App(), 'Assets');
