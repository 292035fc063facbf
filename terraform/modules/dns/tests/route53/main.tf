# A model of what Route 53 documents, to evaluate the truth table with the attributes
# that module dns really sets (Developer Guide: "How Route 53 determines whether a
# health check is healthy", "How Route 53 chooses records when health checking is
# configured"; API reference: InsufficientDataHealthStatus).

variable "steering" {
  description = "Output steering of module dns."
  type = map(object({
    alarm_region = string
    silence      = string
    inverted     = bool
    order        = string
  }))
}

variable "rows" {
  description = "What each Region says now (where the writer is, or null for silence) and the last thing that it has ever said."
  type = list(object({
    name = string
    now  = map(string)
    last = map(string)
    want = string
  }))
}

locals {
  healthy = {
    for row in var.rows : row.name => {
      for region, check in var.steering : region => (
        row.now[check.alarm_region] != null ? row.now[check.alarm_region] == region :
        check.silence == "LastKnownStatus" ? row.last[check.alarm_region] == region :
        check.silence == "Healthy"
      ) != check.inverted
    }
  }

  by_order = { for region, check in var.steering : check.order => region }

  # The first healthy record in order; when none is healthy Route 53 takes all to be.
  answers = {
    for name, healthy in local.healthy : name => (
      healthy[local.by_order.PRIMARY] || !healthy[local.by_order.SECONDARY] ? local.by_order.PRIMARY : local.by_order.SECONDARY
    )
  }
}

output "wrong" {
  description = "Rows whose answer is not the wanted one."
  value       = [for row in var.rows : "${row.name}: answers ${local.answers[row.name]}" if local.answers[row.name] != row.want]
}

output "count" {
  description = "How many rows were evaluated."
  value       = length(local.answers)
}
