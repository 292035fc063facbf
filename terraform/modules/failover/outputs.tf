output "function_names" {
  description = "Name of each function: health_monitor, and failover_trigger in a member Region."
  value       = { for what, function in aws_lambda_function.function : what => function.function_name }
}

output "function_arns" {
  description = "ARN of each function, by the same keys."
  value       = { for what, function in aws_lambda_function.function : what => function.arn }
}

output "dead_letter_queue_name" {
  description = "Name of the queue of invocations that Lambda gave up on."
  value       = aws_sqs_queue.dead_letters.name
}

output "dead_letter_queue_arn" {
  description = "ARN of that queue."
  value       = aws_sqs_queue.dead_letters.arn
}
