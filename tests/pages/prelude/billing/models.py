from django.db import models


class Account(models.Model):
    customer = models.OneToOneField("shop.Customer", on_delete=models.CASCADE)
    iban = models.CharField(max_length=34, blank=True)


class Invoice(models.Model):
    order = models.ForeignKey("shop.Order", on_delete=models.PROTECT)
    number = models.CharField(max_length=20, unique=True)
    total = models.DecimalField(max_digits=10, decimal_places=2)
    issued_on = models.DateField()
    paid_at = models.DateTimeField(null=True)
    comment = models.TextField(null=True)
