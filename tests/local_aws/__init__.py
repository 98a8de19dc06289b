"""AWS on a laptop: emulators, an endpoint with a history, an alarm, and the deployed advisor.

ministack stands in for CloudWatch, SNS, SQS, Lambda, EventBridge, Scheduler and CloudFormation; moto for SageMaker and
Application Auto Scaling; `gateway` for the few operations that neither has. The demo and the end-to-end tests drive the
real binaries against them.
"""
