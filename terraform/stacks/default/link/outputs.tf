output "peering_connection_id" {
  description = "The peering between the VPCs."
  value       = module.link.peering_connection_id
}

output "zone_id" {
  description = "The private zone."
  value       = module.dns.zone_id
}

output "record_name" {
  description = "Name that resolves to the cluster that has the writer."
  value       = module.dns.record_name
}
